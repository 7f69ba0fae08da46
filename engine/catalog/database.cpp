#include "engine/catalog/database.h"

#include <cmath>
#include <limits>

#include <sqlite3.h>

#include "engine/base/log.h"

namespace espalier::catalog {
namespace {

constexpr int kBusyTimeoutMs = 20000;
constexpr std::size_t kIdleStatements = 64;

Error errorOf(int code, const char* message, const std::filesystem::path& file) {
    Error error{ErrorCode::Internal, {}, file.string(), {}, message ? message : ""};
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            error.code = ErrorCode::Io;
            error.what = "the catalog is held by another program and did not become free";
            error.remedy = "Close the other program or try again";
            break;
        case SQLITE_FULL:
            error.code = ErrorCode::Io;
            error.what = "the catalog could not grow: the disk is full";
            error.remedy = "Free some space on that disk and try again";
            break;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
        case SQLITE_AUTH:
            error.code = ErrorCode::Io;
            error.what = "the catalog cannot be opened for writing";
            error.remedy = "Choose a workspace folder that you may write to";
            break;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            error.code = ErrorCode::Corrupt;
            error.what = "the catalog is damaged";
            error.remedy = "Run 'espalier-cli workspace rebuild'";
            break;
        case SQLITE_IOERR:
            error.code = ErrorCode::Io;
            error.what = "the catalog could not be read or written";
            error.remedy = "Check the disk and its free space";
            break;
        case SQLITE_NOMEM: error.code = ErrorCode::OutOfMemory; error.what = "memory ran out in the catalog"; break;
        default: error.what = std::string("the catalog failed: ") + (message ? message : "unknown reason"); break;
    }
    return error;
}

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool containsLowered(std::string_view text, std::string_view needle) {
    if (needle.empty()) return true;
    if (text.size() < needle.size()) return false;
    const char first = needle[0], upper = first >= 'a' && first <= 'z' ? static_cast<char>(first - 32) : first;
    for (std::size_t at = 0, last = text.size() - needle.size(); at <= last; ++at) {
        if (text[at] != first && text[at] != upper) continue;
        std::size_t same = 1;
        while (same < needle.size() && lowered(text[at + same]) == needle[same]) ++same;
        if (same == needle.size()) return true;
    }
    return false;
}

std::string_view viewOf(sqlite3_value* value) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value))) : std::string_view();
}

void hasText(sqlite3_context* context, int count, sqlite3_value** values) {
    if (count < 1) return;
    auto* needle = static_cast<std::string*>(sqlite3_get_auxdata(context, 0));
    std::string made;
    if (!needle) {
        made = viewOf(values[0]);
        for (char& c : made) c = lowered(c);
        sqlite3_set_auxdata(context, 0, new std::string(made), [](void* old) { delete static_cast<std::string*>(old); });
        needle = &made;
    }
    int isFound = 0;
    for (int i = 1; i < count && !isFound; ++i) isFound = containsLowered(viewOf(values[i]), *needle);
    sqlite3_result_int(context, isFound);
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : m_database(other.m_database),
      m_sql(std::move(other.m_sql)),
      m_statement(std::exchange(other.m_statement, nullptr)),
      m_next(other.m_next),
      m_bindResult(other.m_bindResult) {}

Statement::~Statement() {
    if (!m_statement) return;
    sqlite3_reset(m_statement);
    sqlite3_clear_bindings(m_statement);
    auto& idle = m_database->m_idle;
    if (idle.size() < kIdleStatements && idle.try_emplace(std::move(m_sql), m_statement).second) return;
    sqlite3_finalize(m_statement);
}

Statement& Statement::bind(std::string_view text) {
    const int result =
        sqlite3_bind_text64(m_statement, m_next++, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    if (result != SQLITE_OK && m_bindResult == SQLITE_OK) m_bindResult = result;
    return *this;
}

Statement& Statement::bind(double value) {
    const int result = sqlite3_bind_double(m_statement, m_next++, value);  // NaN becomes NULL
    if (result != SQLITE_OK && m_bindResult == SQLITE_OK) m_bindResult = result;
    return *this;
}

Statement& Statement::bind(std::int64_t value) {
    const int result = sqlite3_bind_int64(m_statement, m_next++, value);
    if (result != SQLITE_OK && m_bindResult == SQLITE_OK) m_bindResult = result;
    return *this;
}

Statement& Statement::bindValue(const SqlValue& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return bind(*integer);
    if (const auto* real = std::get_if<double>(&value)) return bind(*real);
    if (const auto* text = std::get_if<std::string>(&value)) return bind(std::string_view(*text));
    return bind(std::numeric_limits<double>::quiet_NaN());
}

Result<bool> Statement::step() {
    if (m_bindResult != SQLITE_OK) return fail(m_database->error(m_bindResult));
    const int result = sqlite3_step(m_statement);
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    return fail(m_database->error(result));
}

Result<void> Statement::run() {
    ESPALIER_CHECK_OK(step());
    sqlite3_reset(m_statement);
    m_next = 1;
    return {};
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(m_statement, column); }

double Statement::real(int column) const {
    return isNull(column) ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(m_statement, column);
}

std::string_view Statement::view(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(m_statement, column));
    if (!bytes) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement, column))};
}

std::string Statement::text(int column) const { return std::string(view(column)); }

bool Statement::isNull(int column) const { return sqlite3_column_type(m_statement, column) == SQLITE_NULL; }

bool Statement::isText(int column) const { return sqlite3_column_type(m_statement, column) == SQLITE_TEXT; }

int Statement::columns() const { return sqlite3_column_count(m_statement); }

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, Access access) {
    sqlite3* handle = nullptr;
    const int mode = access == Access::Read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    const int result = sqlite3_open_v2(file.c_str(), &handle, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    if (result != SQLITE_OK) {
        auto error = errorOf(result, handle ? sqlite3_errmsg(handle) : nullptr, file);
        sqlite3_close_v2(handle);
        return fail(std::move(error));
    }
    std::unique_ptr<Database> database(new Database(file, handle));
    ESPALIER_CHECK_OK(database->harden(access));
    return database;
}

Result<std::unique_ptr<Database>> Database::inMemory() { return open(":memory:", Access::WriteWithoutWal); }

Database::~Database() {
    for (auto& [sql, statement] : m_idle) sqlite3_finalize(statement);
    sqlite3_close_v2(m_handle);
}

Result<void> Database::harden(Access access) {
    sqlite3_busy_timeout(m_handle, kBusyTimeoutMs);
    for (const auto& [option, value] : {std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1), std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
                                        std::pair(SQLITE_DBCONFIG_ENABLE_TRIGGER, 0), std::pair(SQLITE_DBCONFIG_ENABLE_VIEW, 0),
                                        std::pair(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0), std::pair(SQLITE_DBCONFIG_ENABLE_FKEY, 1)})
        sqlite3_db_config(m_handle, option, value, nullptr);
    for (const auto& [limit, value] : {std::pair(SQLITE_LIMIT_ATTACHED, 0), std::pair(SQLITE_LIMIT_LENGTH, 256 << 20),
                                       std::pair(SQLITE_LIMIT_SQL_LENGTH, 1 << 20)})
        sqlite3_limit(m_handle, limit, value);
    const int made = sqlite3_create_function_v2(m_handle, "has_text", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                                nullptr, hasText, nullptr, nullptr, nullptr);
    if (made != SQLITE_OK) return fail(error(made));
    // 32 MiB of pages: the part of a large catalog that every list walks.
    ESPALIER_CHECK_OK(execute("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768;"));
    if (access == Access::Read) return execute("PRAGMA query_only=ON;");
    {
        ESPALIER_TRY(auto mode, prepare(access == Access::Write ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=DELETE"));
        ESPALIER_CHECK_OK(mode.step());
        if (access == Access::Write && mode.text(0) != "wal") {
            ESPALIER_LOG(Warning, "catalog")
                << m_file.string() << ": the file system has no write-ahead log, so changes are slower";
        }
    }
    return execute("PRAGMA synchronous=FULL;");
}

bool Database::hasMoved() const {
    int hasMoved = 0;
    return sqlite3_file_control(m_handle, "main", SQLITE_FCNTL_HAS_MOVED, &hasMoved) == SQLITE_OK && hasMoved != 0;
}

Result<void> Database::copyTo(const std::filesystem::path& target) {
    ESPALIER_TRY(auto copy, open(target, Access::WriteWithoutWal));
    auto* backup = sqlite3_backup_init(copy->m_handle, "main", m_handle, "main");
    if (!backup) return fail(copy->error(sqlite3_errcode(copy->m_handle)));
    const int result = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (result != SQLITE_DONE) return fail(copy->error(result));
    return {};
}

Result<std::string> Database::findDamage(bool isThorough, const std::function<bool()>& isStopped) {
    constexpr int kInstructionsBetween = 20000;  // some milliseconds
    if (isStopped)
        sqlite3_progress_handler(
            m_handle, kInstructionsBetween, [](void* ask) { return int((*static_cast<const std::function<bool()>*>(ask))()); },
            const_cast<std::function<bool()>*>(&isStopped));
    const auto look = [&]() -> Result<std::string> {
        ESPALIER_TRY(auto check, prepare(isThorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)"));
        ESPALIER_TRY(const bool hasRow, check.step());
        return hasRow && check.view(0) != "ok" ? check.text(0) : std::string();
    };
    auto found = look();
    sqlite3_progress_handler(m_handle, 0, nullptr, nullptr);
    if (!found && isStopped && isStopped()) return std::string();
    return found;
}

Result<Statement> Database::prepare(std::string_view sql) {
    std::string text(sql);
    if (const auto found = m_idle.find(text); found != m_idle.end()) {
        auto* statement = found->second;
        m_idle.erase(found);
        return Statement(*this, std::move(text), statement);
    }
    sqlite3_stmt* statement = nullptr;
    const int result =
        sqlite3_prepare_v3(m_handle, text.c_str(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (result != SQLITE_OK) return fail(error(result));
    return Statement(*this, std::move(text), statement);
}

Result<void> Database::execute(const char* script) {
    const int result = sqlite3_exec(m_handle, script, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) return fail(error(result));
    return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
    ESPALIER_TRY(auto statement, prepare(sql));
    ESPALIER_TRY(const bool hasRow, statement.step());
    return hasRow ? statement.integer(0) : 0;
}

std::int64_t Database::lastRowId() const { return sqlite3_last_insert_rowid(m_handle); }

void Database::interrupt() { sqlite3_interrupt(m_handle); }

std::int64_t Database::changes() const { return sqlite3_changes64(m_handle); }

Error Database::error(int code) const { return errorOf(code, sqlite3_errmsg(m_handle), m_file); }

Result<Transaction> Transaction::begin(Database& database) {
    // IMMEDIATE: the write lock is taken now, so nothing that was read inside can be outdated at commit.
    ESPALIER_CHECK_OK(database.execute("BEGIN IMMEDIATE"));
    return Transaction(database);
}

Transaction::~Transaction() {
    if (m_database) (void)m_database->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
    ESPALIER_CHECK_OK(m_database->execute("COMMIT"));
    m_database = nullptr;
    return {};
}

}  // namespace espalier::catalog

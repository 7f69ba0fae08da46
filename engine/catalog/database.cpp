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

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file) {
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const int result = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
    if (result != SQLITE_OK) {
        auto error = errorOf(result, handle ? sqlite3_errmsg(handle) : nullptr, file);
        sqlite3_close_v2(handle);
        return fail(std::move(error));
    }
    std::unique_ptr<Database> database(new Database(file, handle));
    ESPALIER_CHECK_OK(database->harden());
    return database;
}

Database::~Database() {
    for (auto& [sql, statement] : m_idle) sqlite3_finalize(statement);
    sqlite3_close_v2(m_handle);
}

Result<void> Database::harden() {
    sqlite3_busy_timeout(m_handle, kBusyTimeoutMs);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(m_handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
    sqlite3_limit(m_handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(m_handle, SQLITE_LIMIT_LENGTH, 256 << 20);
    ESPALIER_CHECK_OK(execute("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"));
    {
        // A file system without shared memory (a network share) keeps its rollback journal: slower, still safe.
        ESPALIER_TRY(auto mode, prepare("PRAGMA journal_mode=WAL"));
        ESPALIER_CHECK_OK(mode.step());
        if (mode.text(0) != "wal") {
            ESPALIER_LOG(Warning, "catalog")
                << m_file.string() << ": the file system has no write-ahead log, so changes are slower";
        }
    }
    return execute("PRAGMA synchronous=FULL;");
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

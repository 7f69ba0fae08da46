#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "engine/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace espalier::catalog {

class Database;

/// What can be bound to a statement; monostate is NULL.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string>;

/// A prepared statement on loan from its Database; it goes back, reset, when this object dies. Values are bound in
/// order, texts are copied. NaN is stored as NULL and NULL reads as NaN.
class Statement {
public:
    Statement(Database& database, std::string sql, sqlite3_stmt* statement)
        : m_database(&database), m_sql(std::move(sql)), m_statement(statement) {}
    Statement(Statement&& other) noexcept;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    Statement& operator=(Statement&&) = delete;
    ~Statement();

    Statement& bind(std::string_view text);
    Statement& bind(const char* text) { return bind(std::string_view(text)); }
    Statement& bind(double value);
    Statement& bind(std::int64_t value);
    Statement& bind(int value) { return bind(std::int64_t(value)); }
    Statement& bind(bool value) { return bind(std::int64_t(value)); }
    Statement& bindValue(const SqlValue& value);

    /// True while there is a row to read.
    Result<bool> step();
    /// For statements without rows; can be bound and run again afterwards.
    Result<void> run();

    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;
    std::string_view view(int column) const;  ///< valid until the next step
    bool isNull(int column) const;
    bool isText(int column) const;
    int columns() const;

private:
    Database* m_database;
    std::string m_sql;
    sqlite3_stmt* m_statement;
    int m_next = 1;
    int m_bindResult = 0;
};

/// How a file is opened. A network file system has no shared memory for WAL, so there the rollback journal is kept.
enum class Access { Write, WriteWithoutWal, Read };

/// One hardened SQLite connection (WAL, synchronous FULL, DEFENSIVE, no trusted schema, no triggers or views, foreign
/// keys, busy timeout). Used by one thread at a time: the owner locks. SQL may call has_text(NEEDLE, TEXT…): 1 when one
/// of the texts contains the needle without regard to ASCII case.
class Database {
public:
    static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, Access access = Access::Write);
    /// Nothing on disk; empty.
    static Result<std::unique_ptr<Database>> inMemory();
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<Statement> prepare(std::string_view sql);
    /// A fixed script without parameters.
    Result<void> execute(const char* script);
    Result<std::int64_t> integer(std::string_view sql);
    std::int64_t lastRowId() const;
    std::int64_t changes() const;  ///< rows that the last statement wrote
    /// The file was deleted, moved away or replaced since it was opened: what is written goes nowhere.
    bool hasMoved() const;
    /// Writes a copy of the committed content to `target`, which must not exist.
    Result<void> copyTo(const std::filesystem::path& target);
    /// What quick_check (or the slower integrity_check) finds first; empty when the file is sound. `isStopped` is asked
    /// now and then; once it says yes the check ends without a finding.
    Result<std::string> findDamage(bool isThorough, const std::function<bool()>& isStopped = {});
    /// Ends what runs on this connection now; the one call that another thread may make.
    void interrupt();
    const std::filesystem::path& file() const { return m_file; }
    /// The connection's last trouble in the house's words.
    Error error(int code) const;

private:
    friend class Statement;
    Database(std::filesystem::path file, sqlite3* handle) : m_file(std::move(file)), m_handle(handle) {}
    Result<void> harden(Access access);

    std::filesystem::path m_file;
    sqlite3* m_handle;
    std::unordered_map<std::string, sqlite3_stmt*> m_idle;
};

/// A write transaction that is rolled back unless commit() succeeded.
class Transaction {
public:
    static Result<Transaction> begin(Database& database);
    Transaction(Transaction&& other) noexcept : m_database(std::exchange(other.m_database, nullptr)) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    Result<void> commit();

private:
    explicit Transaction(Database& database) : m_database(&database) {}
    Database* m_database;
};

}  // namespace espalier::catalog

// A connection to SQLite.

import BackstopCore
import CSQLite

enum Value {
    case integer(Int64), text(String)
}

/// Used by one call at a time.
final class Database: @unchecked Sendable {
    private var handle: OpaquePointer?

    init(_ file: String) throws(BackupError) {
        guard sqlite3_open_v2(file, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nil) == SQLITE_OK else {
            throw error("open '\(file)'")
        }
        // Other processes of this driver write too.
        sqlite3_busy_timeout(handle, 60_000)
    }

    deinit { sqlite3_close_v2(handle) }

    var lastRow: Int64 { sqlite3_last_insert_rowid(handle) }

    private func error(_ what: String) -> BackupError {
        let code: BackupError.Code =
            switch sqlite3_errcode(handle) & 0xff {
            case SQLITE_FULL: .full
            case SQLITE_PERM, SQLITE_READONLY, SQLITE_AUTH, SQLITE_CANTOPEN: .denied
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
            case SQLITE_BUSY, SQLITE_LOCKED: .unavailable
            default: .io
            }
        return BackupError(code, "unable to \(what): \(String(cString: sqlite3_errmsg(handle)))")
    }

    func run(_ text: String, _ values: [Value] = []) throws(BackupError) { try query(text, values) { _ in } }

    func query(_ text: String, _ values: [Value], _ visit: (Row) throws(BackupError) -> Void) throws(BackupError) {
        let statement = try prepare(text)
        defer { sqlite3_finalize(statement) }
        for (index, value) in values.enumerated() {
            switch value {
            case .integer(let number): sqlite3_bind_int64(statement, Int32(index + 1), number)
            case .text(let text): sqlite3_bind_text(statement, Int32(index + 1), text, Int32(text.utf8.count), Self.copied)
            }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try visit(Row(statement: statement))
            case SQLITE_DONE: return
            default: throw error("run '\(text)'")
            }
        }
    }

    func insertPiece(_ id: Int64, start: Int64, _ block: borrowing Block) throws(BackupError) {
        let statement = try prepare("INSERT INTO piece VALUES (?, ?, ?)")
        defer { sqlite3_finalize(statement) }
        sqlite3_bind_int64(statement, 1, id)
        sqlite3_bind_int64(statement, 2, start)
        block.withBytes { (span: RawSpan) in
            span.withUnsafeBytes { _ = sqlite3_bind_blob64(statement, 3, $0.baseAddress, UInt64($0.count), Self.copied) }
        }
        guard sqlite3_step(statement) == SQLITE_DONE else { throw error("store a piece of an object") }
    }

    /// All of it, or nothing.
    func transaction(_ body: () throws(BackupError) -> Void) throws(BackupError) {
        try run("BEGIN IMMEDIATE")
        do throws(BackupError) {
            try body()
            try run("COMMIT")
        } catch {
            try? run("ROLLBACK")
            throw error
        }
    }

    private func prepare(_ text: String) throws(BackupError) -> OpaquePointer? {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, text, -1, &statement, nil) == SQLITE_OK else { throw error("prepare '\(text)'") }
        return statement
    }

    /// SQLite takes a copy of what it is given.
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
}

struct Row {
    fileprivate let statement: OpaquePointer?

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }
}

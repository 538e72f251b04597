// The storage: pieces of objects in one table, their names in another.

import BackstopCore
import Synchronization

/// An object gets its name when all its pieces are there, in one transaction. What has no name is what a killed process left; it is
/// removed when it is a day old.
///
/// Linked into pgBackstop it has several calls under way at a time, so each call has a connection of its own.
final class SQLiteStorage: Storage {
    private let connections = Mutex<[Database]>([])
    /// Repositories that share a file differ by it.
    private let prefix: String
    let location: String

    var capabilities: Capabilities { .putIfAbsent }

    init(file: String, prefix path: String) throws(BackupError) {
        let base = try Database(file)
        prefix = path.split(separator: "/").joined(separator: "/") + "/"
        location = file
        try base.run("PRAGMA journal_mode = WAL")
        try base.run("PRAGMA synchronous = FULL")
        try base.run("CREATE TABLE IF NOT EXISTS object (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER, modified INTEGER)")
        try base.run("CREATE TABLE IF NOT EXISTS piece (object INTEGER, start INTEGER, bytes BLOB, PRIMARY KEY (object, start))")
        try base.transaction { () throws(BackupError) in
            let old: [Value] = [.integer(unixNow() - 86_400)]
            try base.run("DELETE FROM piece WHERE object IN (SELECT id FROM object WHERE name IS NULL AND modified < ?)", old)
            try base.run("DELETE FROM object WHERE name IS NULL AND modified < ?", old)
        }
        connections.withLock { $0.append(base) }
    }

    /// A connection that nobody else uses; `keep` it after the call.
    private func connect() throws(BackupError) -> Database {
        if let idle = connections.withLock({ $0.popLast() }) { return idle }
        return try Database(location)
    }

    private func keep(_ base: Database) { connections.withLock { $0.append(base) } }

    private func name(_ key: Key) -> Value { .text(prefix + key.path) }

    /// Its number, and what is told of it.
    private func find(_ key: Key, _ base: Database) throws(BackupError) -> (id: Int64, entry: Entry)? {
        var found: (id: Int64, entry: Entry)?
        try base.query("SELECT id, size, modified FROM object WHERE name = ?", [name(key)]) { (row) throws(BackupError) in
            found = (row.integer(0), Entry(key: key, kind: .file, size: UInt64(row.integer(1)), modified: row.integer(2)))
        }
        return found
    }

    private func missing(_ key: Key) -> BackupError { BackupError(.notFound, "'\(key)' does not exist in \(location)") }

    // MARK: Reading

    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        // Another connection, in which the object stays as it is now, whoever replaces it.
        let view = try Database(location)
        try view.run("BEGIN")
        var found: (id: Int64, size: Int64)?
        try view.query("SELECT id, size FROM object WHERE name = ?", [name(key)]) { (row) throws(BackupError) in
            found = (row.integer(0), row.integer(1))
        }
        guard let found else { throw missing(key) }
        let end = min(range?.upperBound ?? .max, UInt64(found.size))
        return PieceSource(view, found.id, min(range?.lowerBound ?? 0, end)..<end)
    }

    func stat(_ key: Key) async throws(BackupError) -> Entry? {
        let base = try connect()
        defer { keep(base) }
        return try find(key, base)?.entry
    }

    func list(_ folder: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        let above = folder.isRoot ? prefix : "\(prefix)\(folder.path)/"
        let base = try connect()
        defer { keep(base) }
        var entries: [Entry] = []
        var folders: Set<Key> = []
        let length = Value.integer(Int64(above.unicodeScalars.count))
        try base.query("SELECT name, size, modified FROM object WHERE substr(name, 1, ?) = ?", [length, .text(above)]) {
            (row) throws(BackupError) in
            let key = Key(String(row.text(0).utf8.dropFirst(prefix.utf8.count)) ?? "")
            let parts = key.path.utf8.dropFirst(above.utf8.count - prefix.utf8.count).split(separator: UInt8(ascii: "/"), maxSplits: 1)
            if depth == .all || parts.count == 1 {
                entries.append(Entry(key: key, kind: .file, size: UInt64(row.integer(1)), modified: row.integer(2)))
            } else {
                let inside = folder / (String(parts[0]) ?? "")
                if folders.insert(inside).inserted { entries.append(Entry(key: inside, kind: .folder, size: 0, modified: row.integer(2))) }
            }
        }
        for entry in entries where depth == .all || depth.includes(entry.key) { try visit(entry) }
    }

    // MARK: Writing

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        let base = try connect()
        defer { keep(base) }
        try base.run("INSERT INTO object (size, modified) VALUES (0, ?)", [.integer(unixNow())])
        let id = base.lastRow
        do throws(BackupError) {
            var block = Block(capacity: 1 << 20)
            var size: Int64 = 0
            var more = true
            while more {
                block.clear()
                more = try await block.fillWhole(from: &source)
                if block.count > 0 {
                    try base.insertPiece(id, start: size, block)
                    size += Int64(block.count)
                }
            }
            try base.transaction { () throws(BackupError) in
                if let old = try find(key, base) {
                    if options.ifAbsent { throw BackupError(.alreadyExists, "'\(key)' exists in \(location)") }
                    try forget(old.id, base)
                }
                try base.run(
                    "UPDATE object SET name = ?, size = ?, modified = ? WHERE id = ?",
                    [name(key), .integer(size), .integer(unixNow()), .integer(id)])
            }
            return Entry(key: key, kind: .file, size: UInt64(size), modified: unixNow())
        } catch {
            try? forget(id, base)
            throw error
        }
    }

    private func forget(_ id: Int64, _ base: Database) throws(BackupError) {
        try base.run("DELETE FROM piece WHERE object = ?", [.integer(id)])
        try base.run("DELETE FROM object WHERE id = ?", [.integer(id)])
    }

    func remove(_ key: Key) async throws(BackupError) {
        let base = try connect()
        defer { keep(base) }
        try base.transaction { () throws(BackupError) in
            if let old = try find(key, base) { try forget(old.id, base) }
        }
    }

    /// A commit is durable.
    func sync(_ prefix: Key) async throws(BackupError) {}
}

/// The pieces of an object, one after the other.
struct PieceSource: ByteSource, ~Copyable {
    private let view: Database
    private let id: Int64
    private var range: Range<UInt64>
    private var piece: [UInt8] = []
    private var taken = 0

    init(_ view: Database, _ id: Int64, _ range: Range<UInt64>) {
        self.view = view
        self.id = id
        self.range = range
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        guard !range.isEmpty else { return false }
        if taken == piece.count {
            var next: (start: Int64, bytes: [UInt8])?
            try view.query(
                "SELECT start, bytes FROM piece WHERE object = ? AND start <= ? ORDER BY start DESC LIMIT 1",
                [.integer(id), .integer(Int64(range.lowerBound))]
            ) { (row) throws(BackupError) in next = (row.integer(0), row.bytes(1)) }
            guard let next, Int(range.lowerBound) - Int(next.start) < next.bytes.count else {
                throw BackupError(.corrupt, "a piece of an object is missing")
            }
            piece = next.bytes
            taken = Int(range.lowerBound) - Int(next.start)
        }
        let count = min(piece.count - taken, out.freeCapacity, range.count)
        for byte in piece[taken..<taken + count] { out.append(byte) }
        taken += count
        range = range.lowerBound + UInt64(count)..<range.upperBound
        return !range.isEmpty
    }
}

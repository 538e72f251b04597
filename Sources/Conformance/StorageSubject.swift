// What the storage checks are run on, and the words they use for it.

public import BackstopCore

/// A storage with an empty folder in it, and what is known of the store behind it.
public struct StorageSubject: ConformanceSubject {
    public let name: String
    /// Changed only below `prefix`, by several requests at a time.
    public let storage: any Storage
    /// An empty folder; the checks leave their objects below it.
    public let prefix: Key
    public let seed: UInt64
    /// Sizes of objects to try, in bytes; a driver that cuts objects into parts adds those around its parts.
    public var sizes: [Int] = [
        0, 1, 511, 512, 513, 4095, 4096, 4097, 65_535, 65_536, 65_537, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, (1 << 20) - 1, 1 << 20,
        (1 << 20) + 1, 5 << 20 + 3,
    ]

    /// Names that the store behind the driver is known to change, so that no driver can keep them. They are not tried.
    public var namesNotKept: Set<String> = []

    /// How large the large things are that are tried.
    public var life: SizeOfLife

    /// Opens another repository in the same store, one whose `path` ends in the given text. nil: there is no other.
    public var beside: (@Sendable (_ name: String) async throws(BackupError) -> any Storage)?

    public init(
        name: String, storage: any Storage, prefix: Key, life: SizeOfLife = .full, seed: UInt64 = freshSeed(),
        beside: (@Sendable (_ name: String) async throws(BackupError) -> any Storage)? = nil
    ) {
        self.name = name
        self.storage = storage
        self.prefix = prefix
        self.life = life
        self.seed = seed
        self.beside = beside
    }

    public func interrupt() { (storage as? any ProgramStorage)?.endProcesses() }

    /// Wants `key` to hold exactly `bytes`, seen by every way to look.
    func expect(_ key: Key, holds bytes: [UInt8]) async throws {
        try expectSame(try await storage.read(key), bytes, "'\(key)'")
        let entry = try await storage.stat(key)
        try Self.check(entry, key, bytes.count, "stat")
        try Self.check(try await listed(key), key, bytes.count, "list")
    }

    func expectMissing(_ key: Key) async throws {
        try await expectError(.notFound, from: "open of the missing '\(key)'") { _ = try await storage.read(key) }
        try BackstopConformance.expect(try await storage.stat(key) == nil, "stat sees the missing '\(key)'")
        try BackstopConformance.expect(try await listed(key) == nil, "list shows the missing '\(key)'")
    }

    func listed(_ key: Key) async throws -> Entry? {
        try await storage.list(key.parent).first { $0.key == key }
    }

    static func check(_ entry: Entry?, _ key: Key, _ size: Int, _ what: String) throws {
        guard let entry else { throw Broken(reason: "\(what) does not show '\(key)'") }
        try BackstopConformance.expect(entry.key == key, "\(what) of '\(key)' answers the key '\(entry.key)'")
        try BackstopConformance.expect(entry.kind == .file, "\(what) says that '\(key)' is a \(entry.kind.rawValue)")
        try BackstopConformance.expect(entry.size == UInt64(size), "\(what) says that '\(key)' has \(entry.size) bytes, it has \(size)")
        // 2020; a clock may be wrong, but seconds are not milliseconds.
        try BackstopConformance.expect(
            (1_577_836_800...32_503_680_000).contains(entry.modified), "\(what) says that '\(key)' was modified at \(entry.modified)")
    }
}

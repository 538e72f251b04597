import BackstopCodecs
import BackstopDrivers

@testable import BackstopCommands
@testable import BackstopCore

/// A storage in memory that is near or far away, and may fail at what is put.
struct TroubledStorage: Storage {
    private let memory = MemoryStorage()
    let smallAtATime: Int
    /// Thrown at the end of the bytes of each segment that is put.
    var failure: BackupError?

    init(isFar: Bool = false) { smallAtATime = isFar ? 8 : 1 }

    var capabilities: Capabilities { memory.capabilities }
    var location: String { "memory" }

    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        guard let failure, key.path.hasPrefix("archive/demo/15-1/") else { return try await memory.put(key, from: &source, options) }
        _ = try await source.readAll()
        throw failure
    }
    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        try await memory.open(key, range: range)
    }
    func stat(_ key: Key) async throws(BackupError) -> Entry? { try await memory.stat(key) }
    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        try await memory.list(prefix, depth, visit)
    }
    func remove(_ key: Key) async throws(BackupError) { try await memory.remove(key) }
    func sync(_ prefix: Key) async throws(BackupError) { try await memory.sync(prefix) }
}

/// One repository with the archive of the stanza `demo`, which belongs to a cluster of PostgreSQL 15.
struct MemoryArchive: Sendable {
    static let identity = ClusterIdentity(systemID: 7_123_456_789_012_345_678, version: .v15)

    let repository: StanzaRepository
    private let registry: Registry

    /// `exists`: whether there is an archive.info. `passphrase`: nil when it is not encrypted. `format`: of archive.info.
    init(
        _ index: Int, in storage: TroubledStorage, passphrase: String? = nil, of identity: ClusterIdentity = identity, exists: Bool = true,
        format: Int = 5
    ) async throws {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        self.registry = registry
        let seal = try passphrase.map { try Seal(Encryption(cipher: "aes-256-cbc", passphrase: $0), registry) }
        repository = StanzaRepository(Repository(index: index, storage: storage, registry: registry, seal: seal), "demo", Log())
        if format != RepositoryFormat.written {
            var writer = InfoFileWriter(try Golden.sha1(), version: "2.60.0", format: format)
            DatabaseHistory(.init(id: 1, identity: identity)).write(to: &writer, systemKey: "db-id")
            try await storage.put(repository.layout.archiveInfo, bytes: try writer.finish())
        } else if exists {
            try await repository.save(ArchiveInfo(history: DatabaseHistory(.init(id: 1, identity: identity)), seal?.renewed()))
        }
    }

    /// The names of what was pushed.
    func names() async throws -> [String] {
        try await repository.storage.list(Key("archive/demo/15-1"), .all).map { String($0.key.name) }
    }

    /// The content of a stored segment.
    func content(_ name: String) async throws -> [UInt8] {
        let key = repository.layout.archiveFolder("15-1", of: name) / name
        let coding = try ObjectCoding(ofFile: name, registry, try await repository.archiveInfo().seal)
        var flow = try Flow(try await repository.storage.open(key), Chain(try coding.decoder(.normal)))
        return try await flow.readAll()
    }
}

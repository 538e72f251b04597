import BackstopCodecs
import BackstopDrivers
import Synchronization
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// A manifest counts only when what is stored of it was read back, and it is those bytes that count.
struct ManifestFileTests {
    /// Hands out other bytes of a manifest's copy at one of the times that it is read.
    private final class Forgetful: Storage {
        let memory = MemoryStorage()
        let bad: Int?
        private let opened = Mutex(0)

        /// `bad`: 1 for the first time.
        init(bad: Int?) { self.bad = bad }

        var capabilities: Capabilities { memory.capabilities }
        var location: String { "memory" }
        func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
            guard key.path.hasSuffix("backup.manifest.copy") else { return try await memory.open(key, range: range) }
            let number = opened.withLock {
                $0 += 1
                return $0
            }
            var bytes = try await memory.read(key)
            if number == bad { bytes[bytes.count / 2] ^= 1 }
            return BytesSource(bytes)
        }
        func put<Source: ByteSource & ~Copyable>(
            _ key: Key, from source: inout Source, _ options: PutOptions
        ) async throws(BackupError) -> Entry { try await memory.put(key, from: &source, options) }
        func stat(_ key: Key) async throws(BackupError) -> Entry? { try await memory.stat(key) }
        func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
            try await memory.list(prefix, depth, visit)
        }
        func remove(_ key: Key) async throws(BackupError) { try await memory.remove(key) }
        func sync(_ prefix: Key) async throws(BackupError) { try await memory.sync(prefix) }
    }

    /// The text of the server is kept: eight digits from PostgreSQL 19 on.
    @Test(arguments: [("0/1600028", "0/1700158"), ("0/01600028", "0/01700158")])
    func places(_ start: String, _ stop: String) throws {
        var written = made()
        (written.lsnStart, written.lsnStop) = (start, stop)
        (written.archiveStart, written.archiveStop) = ("000000010000000000000016", "000000010000000000000017")
        let bytes = try written.bytes(try Golden.sha1(), version: "2.60.0")
        #expect(String(decoding: bytes, as: UTF8.self).contains("\nbackup-lsn-start=\"\(start)\"\nbackup-lsn-stop=\"\(stop)\"\n"))
        let read = try Manifest(bytes, try Golden.sha1(), in: nil)
        #expect(read.lsnStart == start && read.lsnStop == stop)
        let summary = BackupSummary(read)
        #expect(summary.lsnStart == start && summary.lsnStop == stop)
    }

    private func made() -> Manifest {
        var manifest = manifest()
        manifest.references = [manifest.label]
        manifest.places.targets = [Manifest.Target(name: "pg_data", path: "/data", file: nil, isLink: false, tablespace: nil)]
        manifest.places.paths = [Manifest.Path(name: "pg_data", mode: 0o700, owner: Manifest.Owner(user: "postgres", group: "postgres"))]
        // More than one portion of text.
        for number in 0..<2000 {
            var file = storedFile("pg_data/base/5/\(16384 + number)", size: 8192, stored: 100, "postgres", "postgres")
            file.checksum = SHA1Value(String(repeating: "ab", count: 20))
            manifest.files.append(file)
        }
        manifest.files[7].bundle = 3
        manifest.files[7].pageErrors = [1...1, 4...9]
        manifest.files[7].pagesValid = false
        manifest.sort()
        return manifest
    }

    private func repository(_ storage: any Storage, passphrase: String?) throws -> (StanzaRepository, Seal?) {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        let seal = try passphrase.map { try Seal(Encryption(cipher: "aes-256-cbc", passphrase: $0), registry) }
        return (StanzaRepository(Repository(index: 1, storage: storage, registry: registry, seal: seal), "demo", Log()), seal)
    }

    @Test(arguments: [nil, "secret"])
    func roundTrip(_ passphrase: String?) async throws {
        let storage = Forgetful(bad: nil)
        let (repository, seal) = try repository(storage, passphrase: passphrase)
        var manifest = made()
        manifest.seal = seal?.renewed()
        try await repository.save(manifest, seal)
        let key = repository.layout.manifest(manifest.label)
        #expect(try await storage.memory.read(key) == storage.memory.read(key + Layout.copySuffix))
        let again = try await repository.manifest(manifest.label, seal)
        #expect(try again.bytes(try Golden.sha1(), version: "x") == manifest.bytes(try Golden.sha1(), version: "x"))
        #expect(again.files[7].pageErrors == [1...1, 4...9] && again.files[7].bundle == 3 && again.files[8].bundle == nil)
    }

    /// Whether it is wrong when it is proven or when it is copied: no main file, so no backup.
    @Test(arguments: [1, 2], [nil, "secret"])
    func damage(_ time: Int, _ passphrase: String?) async throws {
        let storage = Forgetful(bad: time)
        let (repository, seal) = try repository(storage, passphrase: passphrase)
        var manifest = made()
        manifest.seal = seal?.renewed()
        await #expect(throws: BackupError.self) { try await repository.save(manifest, seal) }
        #expect(try await storage.memory.stat(repository.layout.manifest(manifest.label)) == nil)
    }
}

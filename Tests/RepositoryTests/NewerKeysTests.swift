import BackstopCodecs
import BackstopDrivers
import EndToEndSupport
import Synchronization
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// The key of an archive may be changed between archive.info was read and the file that was asked for.
struct NewerKeysTests {
    /// Hands out an archive.info as it was before the key was changed, so many times.
    private final class Late: Storage {
        private let base: any Storage
        private let old: [UInt8]
        private let left: Mutex<Int>
        let loaded = Mutex(0)

        init(_ base: any Storage, old: [UInt8], times: Int) {
            (self.base, self.old) = (base, old)
            left = Mutex(times)
        }

        var capabilities: Capabilities { base.capabilities }
        var location: String { base.location }
        func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
            guard key.name == "archive.info" else { return try await base.open(key, range: range) }
            loaded.withLock { $0 += 1 }
            let isOld = left.withLock { left in
                defer { left -= 1 }
                return left > 0
            }
            if isOld { return BytesSource(old) }
            return try await base.open(key, range: range)
        }
        func put<Source: ByteSource & ~Copyable>(
            _ key: Key, from source: inout Source, _ options: PutOptions
        ) async throws(BackupError) -> Entry { try await base.put(key, from: &source, options) }
        func stat(_ key: Key) async throws(BackupError) -> Entry? { try await base.stat(key) }
        func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
            try await base.list(prefix, depth, visit)
        }
        func remove(_ key: Key) async throws(BackupError) { try await base.remove(key) }
        func sync(_ prefix: Key) async throws(BackupError) { try await base.sync(prefix) }
    }

    /// archive.info without the key `id`, as it was stored then.
    private func archiveInfo(of golden: GoldenRepository, without id: String) async throws -> [UInt8] {
        let key = golden.stanza.layout.archiveInfo
        let text = String(decoding: try await golden.stanza.repository.read(key, golden.stanza.seal), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            guard line.hasPrefix("cipher-pass="), case .object(var keys)? = JSON(parsing: Array(line.dropFirst(12).utf8)) else {
                return line.hasPrefix("cipher-pass-current=") ? #"cipher-pass-current="9""# : String(line)
            }
            keys[id] = nil
            return "cipher-pass=" + JSON.object(keys).text
        }
        var writer = InfoFileWriter(try Golden.sha1())
        var section = ""
        for line in lines where !line.isEmpty {
            if line.hasPrefix("[") { section = String(line.dropFirst().dropLast()) }
            guard !line.hasPrefix("["), !line.hasPrefix("backrest-checksum"), let equals = line.firstIndex(of: "=") else { continue }
            let value = try #require(JSON(parsing: Array(line[line.index(after: equals)...].utf8)))
            writer.add(section, String(line[..<equals]), value)
        }
        let keys = CipherKeys(["0": CipherKey("golden-pass", .sha256)], .salted)
        let encoder = try Golden.registry().cipher("aes-256-cbc").open(keys, .raw).encoder()
        var flow = try Flow(BytesSource(try writer.finish()), Chain([.transform(encoder)]))
        return Array("PGBR006_".utf8) + (try await flow.readAll())
    }

    /// Of the cluster that the golden repositories belong to. A standby is asked again by its server, so archive-get tries once.
    private func makeStandby(in folder: TemporaryFolder) async throws -> String {
        let data = try folder.makeDirectory("data")
        try folder.makeDirectory("data/global")
        try folder.write("data/standby.signal", "")
        let layout = PostgresVersion.v15.layout
        var bytes = [UInt8](repeating: 0, count: ControlFile.fileSize)
        bytes.setNumber(UInt64(7_710_459_702_974_729_891), at: 0)
        bytes.setNumber(layout.controlVersion, at: 8)
        bytes.setNumber(layout.catalogVersions.lowerBound, at: 12)
        bytes.setNumber(UInt32(8192), at: layout.pageSize)
        bytes.setNumber(UInt32(1 << 20), at: layout.segmentSize)
        var crc = CRC32C()
        crc.update(bytes[..<layout.crc])
        bytes.setNumber(crc.value, at: layout.crc)
        try await PosixStorage(root: data, modes: .cluster).put(Key(ClusterFiles.controlName), bytes: bytes)
        return data
    }

    /// Key 10 is new. `times`: how often archive.info is read as it was before.
    @Test(arguments: [(1, true), (2, false)])
    func archiveInfoIsReadOnceMore(_ times: Int, _ isFound: Bool) async throws {
        let golden = try GoldenRepository("format6-rotated-cipher")
        let late = Late(golden.stanza.storage, old: try await archiveInfo(of: golden, without: "10"), times: times)
        var registry = try Golden.registry()
        registry.register(StorageDriver(name: "late") { (_, _, _) throws(BackupError) in late })
        let data = try await makeStandby(in: golden.folder)
        var options = Options()
        options.take(.text("late"), for: PlaceOptions.type.spec, 1)
        options.take(.text("aes-256-cbc"), for: CodecOptions.cipherType.spec, 1)
        options.take(.text("golden-pass"), for: CodecOptions.cipherPass.spec, 1)
        options.take(.text(data), for: PostgresOptions.path.spec, 1)
        options.take(.text("demo"), for: SourceOptions.stanza.spec, 0)
        let got = golden.folder.path("got")
        var context = RunContext(
            command: "archive-get", options: options, positional: ["00000002.history", got], registry: registry, log: Log(),
            openTree: { PosixStorage(root: $0, modes: .cluster) },
            openHost: { (_, _, _, _) throws(BackupError) in throw BackupError(.unsupported, "no host") }, inheritedOptions: [],
            programPath: "pgbackstop")
        context.repositories = [1]
        let ready = context
        if isFound {
            #expect(try await ArchiveGet.run(ready))
            #expect(try run(["cat", got], asRoot: true).output == "1\t0/F00000\tbefore\n")
        } else {
            let error = await #expect(throws: BackupError.self) { _ = try await ArchiveGet.run(ready) }
            #expect(error?.code == .fileRead && error?.message.contains("unable to find cipher key '10'") == true, "\(error!)")
        }
        // Not a third time.
        #expect(late.loaded.withLock { $0 } == 2)
    }
}

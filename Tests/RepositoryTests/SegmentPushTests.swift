import BackstopCodecs
import BackstopDrivers
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// One segment and any number of repositories: what each of them has afterwards, what is told, and how often it was compressed.
struct SegmentPushTests {
    private static let name = "000000010000000000000003"
    private static let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    private static let other = [UInt8](bytes.reversed())
    private static let codecs = ["none", "gz", "lz4", "zst", "bz2"]

    private static func settings(_ codec: CodecDriver, mostInMemory: Int = .max) throws -> PushSettings {
        PushSettings(
            checksHeader: false, checksMode: false, forcedVersion: .success(nil), coding: .success(ObjectCoding(codec, nil)),
            sha1: try sha1(), mostInMemory: mostInMemory, log: Log())
    }

    private static func sha1() throws -> any ChecksumProvider {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        return try registry.checksum("sha1")
    }

    private static func file(_ tree: any FileTree, _ name: String = name) -> WALFile { WALFile("/pg_wal/\(name)", in: tree) }

    private static func targets(_ archives: [MemoryArchive], of cluster: ControlFile? = nil) -> ArchiveTargets {
        ArchiveTargets(repositories: archives.map(\.repository), failures: [], control: cluster.map { .success($0) })
    }

    private static func stored(_ codec: CodecDriver, _ bytes: [UInt8] = bytes) throws -> String {
        let sum = try sha1().make()
        bytes.withUnsafeBytes { sum.update(RawSpan(_unsafeBytes: $0)) }
        try sum.finish()
        return "\(name)-\(sum.digest)\(codec.suffix)"
    }

    // MARK: Compressing

    /// For any number of repositories, each with its own seal.
    @Test(arguments: codecs, [1, 2, 3])
    func compressedOnce(_ codec: String, _ count: Int) async throws {
        let codec = try CountingCodec(codec)
        var archives: [MemoryArchive] = []
        for index in 1...count {
            archives.append(try await MemoryArchive(index, in: TroubledStorage(), passphrase: index % 2 == 0 ? "secret\(index)" : nil))
        }
        let tree = ChangingFile([Self.bytes])
        #expect(try await SegmentPush(Self.file(tree), Self.targets(archives), Self.settings(codec.driver)).run() == [])
        let stored = try Self.stored(codec.driver)
        for archive in archives {
            #expect(try await archive.names() == [stored])
            #expect(try await archive.content(stored) == Self.bytes)
        }
        let compresses = codec.driver.name != "none"
        #expect(codec.encoders == (compresses ? 1 : 0))
        // Once for the digest and once for the header.
        #expect(tree.opened == 2 + (compresses ? 1 : count))
    }

    /// One that stays too large for the memory is read and compressed by each repository.
    @Test func tooLarge() async throws {
        let codec = try CountingCodec("lz4")
        let archives = [try await MemoryArchive(1, in: TroubledStorage()), try await MemoryArchive(2, in: TroubledStorage())]
        let settings = try Self.settings(codec.driver, mostInMemory: 100)
        #expect(try await SegmentPush(Self.file(ChangingFile([Self.bytes])), Self.targets(archives), settings).run() == [])
        for archive in archives { #expect(try await archive.content(try Self.stored(codec.driver)) == Self.bytes) }
        #expect(codec.encoders == 3)
    }

    /// Opened once, asked for one segment after the other.
    @Test func targetsAreReused() async throws {
        let codec = try CountingCodec("zst")
        let archives = [try await MemoryArchive(1, in: TroubledStorage()), try await MemoryArchive(2, in: TroubledStorage())]
        let (targets, settings) = (Self.targets(archives), try Self.settings(codec.driver))
        let names = (1...5).map { "00000001000000000000000\($0)" }
        for name in names {
            #expect(try await SegmentPush(Self.file(ChangingFile([Self.bytes]), name), targets, settings).run() == [])
        }
        for archive in archives { #expect(try await archive.names().map { String($0.prefix(24)) } == names) }
        #expect(codec.encoders == 5)
    }

    // MARK: What repositories have

    enum Held: CaseIterable { case nothing, same, other, both, ofAnotherCluster, noArchive, failsToStore }

    /// What each repository had, which of them are told as failed, and which have the segment afterwards.
    static let outcomes: [([Held], failed: [Int], having: [Int])] = [
        ([.nothing, .nothing], [], [1, 2]),
        ([.same, .nothing], [], [1, 2]),
        ([.same, .same], [], [1, 2]),
        ([.both, .nothing], [1], [2]),
        ([.nothing, .both], [2], [1]),
        ([.nothing, .ofAnotherCluster], [2], [1]),
        ([.noArchive, .nothing], [1], [2]),
        ([.nothing, .noArchive], [2], [1]),
        ([.failsToStore, .nothing], [1], [2]),
        ([.nothing, .failsToStore], [2], [1]),
        ([.failsToStore, .nothing, .failsToStore], [1, 3], [2]),
        ([.failsToStore, .failsToStore], [1, 2], []),
        ([.failsToStore], [1], []),
        ([.noArchive, .failsToStore, .nothing, .same], [1, 2], [3, 4]),
    ]

    private static func archive(_ index: Int, _ held: Held, isFar: Bool, _ codec: CodecDriver) async throws -> MemoryArchive {
        var storage = TroubledStorage(isFar: isFar)
        if held == .failsToStore { storage.failure = BackupError(.full, "no space") }
        let identity = held == .ofAnotherCluster ? ClusterIdentity(systemID: 1, version: .v15) : MemoryArchive.identity
        let archive = try await MemoryArchive(index, in: storage, of: identity, exists: held != .noArchive)
        func add(_ bytes: [UInt8]) async throws {
            // Its name is what counts.
            let key = archive.repository.layout.archiveFolder("15-1", of: name) / (try stored(codec, bytes))
            try await storage.put(key, bytes: [])
        }
        if held == .same || held == .both { try await add(bytes) }
        if held == .other || held == .both { try await add(other) }
        return archive
    }

    /// Near, and far away, where the bytes are on their way before it is known who wants them.
    @Test(arguments: outcomes, [false, true])
    func failuresAreTheirOwn(_ example: ([Held], failed: [Int], having: [Int]), _ isFar: Bool) async throws {
        let codec = try CountingCodec("lz4")
        var archives: [MemoryArchive] = []
        for (index, held) in example.0.enumerated() {
            archives.append(try await Self.archive(index + 1, held, isFar: isFar, codec.driver))
        }
        let targets = Self.targets(archives, of: isFar ? try controlFile() : nil)
        let failures = try await SegmentPush(Self.file(ChangingFile([Self.bytes])), targets, Self.settings(codec.driver)).run()
        #expect(failures.map { String($0.prefix(7)) } == example.failed.map { "repo\($0): " }, "\(failures)")
        for (archive, held) in zip(archives, example.0) {
            let names = try await archive.names()
            let expected = [held == .both ? try Self.stored(codec.driver, Self.other) : nil, try Self.stored(codec.driver)]
            let isThere = held == .both || example.having.contains(archive.repository.index)
            #expect(names == (isThere ? expected.compactMap { $0 }.sorted() : []), "\(held)")
        }
        let asked = example.0.contains { $0 == .nothing || $0 == .failsToStore }
        #expect(isFar ? codec.encoders <= 1 : codec.encoders == (asked ? 1 : 0))
    }

    /// Another segment of that name in one of them: none gets it, and nothing is compressed for it.
    @Test(arguments: [[.other], [.nothing, .other], [.other, .nothing], [.same, .other]] as [[Held]], [false, true])
    func otherContent(_ held: [Held], _ isFar: Bool) async throws {
        let codec = try CountingCodec("lz4")
        var archives: [MemoryArchive] = []
        for (index, held) in held.enumerated() { archives.append(try await Self.archive(index + 1, held, isFar: isFar, codec.driver)) }
        let push = SegmentPush(
            Self.file(ChangingFile([Self.bytes])), Self.targets(archives, of: isFar ? try controlFile() : nil),
            try Self.settings(codec.driver))
        let error = await #expect(throws: BackupError.self) { _ = try await push.run() }
        #expect(error?.code == .archiveDuplicate)
        for (archive, held) in zip(archives, held) { #expect(try await archive.names().count == (held == .nothing ? 0 : 1)) }
        if !isFar { #expect(codec.encoders == 0) }
    }

    // MARK: Proofs

    /// What changed after it was summed is stored nowhere.
    @Test(arguments: codecs, [1, 2, 3])
    func changesBetweenReadings(_ codec: String, _ count: Int) async throws {
        let codec = try CountingCodec(codec).driver
        for isFar in [false, true] {
            var archives: [MemoryArchive] = []
            for index in 1...count { archives.append(try await MemoryArchive(index, in: TroubledStorage(isFar: isFar))) }
            let tree = ChangingFile([Self.bytes, Self.bytes, Self.other])
            let targets = Self.targets(archives, of: isFar ? try controlFile() : nil)
            let failures = try await SegmentPush(Self.file(tree), targets, Self.settings(codec)).run()
            #expect(failures.count == count)
            for (index, failure) in failures.enumerated() {
                #expect(failure.hasPrefix("repo\(index + 1): ") && failure.contains("'/pg_wal/\(Self.name)' changed while it was pushed"))
            }
            for archive in archives { #expect(try await archive.names() == []) }
        }
    }

    /// Without compression each repository reads it, and each reading is proven.
    @Test func changesBeforeTheLastReading() async throws {
        let codec = try CountingCodec("none").driver
        let archives = [try await MemoryArchive(1, in: TroubledStorage()), try await MemoryArchive(2, in: TroubledStorage())]
        let tree = ChangingFile([Self.bytes, Self.bytes, Self.bytes, Self.other])
        #expect(try await SegmentPush(Self.file(tree), Self.targets(archives), Self.settings(codec)).run().count == 1)
        var held: [[UInt8]] = []
        for archive in archives { for name in try await archive.names() { held.append(try await archive.content(name)) } }
        #expect(held == [Self.bytes])
    }

    // MARK: What is told first

    /// A codec that is not allowed here concerns who wants the segment.
    @Test func codecIsMissing() async throws {
        let codec = try CountingCodec("gz").driver
        let archives = [try await Self.archive(1, .same, isFar: false, codec), try await Self.archive(2, .nothing, isFar: false, codec)]
        let missing = BackupError(.unsupported, "there is no codec")
        let settings = PushSettings(
            checksHeader: false, checksMode: false, forcedVersion: .success(nil), coding: .failure(missing), sha1: try Self.sha1(),
            log: Log())
        let failures = try await SegmentPush(Self.file(ChangingFile([Self.bytes])), Self.targets(archives), settings).run()
        #expect(failures.count == 1 && failures[0].hasPrefix("repo2: ") && failures[0].contains("there is no codec"))
    }

    /// A file that is no segment is refused before it is known whether there is a repository.
    @Test(arguments: [true, false]) func noRepository(_ checksHeader: Bool) async throws {
        let settings = PushSettings(
            checksHeader: checksHeader, checksMode: false, forcedVersion: .success(nil),
            coding: .success(ObjectCoding(try CountingCodec("lz4").driver, nil)), sha1: try Self.sha1(), log: Log())
        let targets = ArchiveTargets(repositories: [], failures: ["repo1: is away"], control: nil)
        let error = await #expect(throws: BackupError.self) {
            _ = try await SegmentPush(Self.file(ChangingFile([Self.bytes])), targets, settings).run()
        }
        #expect(error?.code == (checksHeader ? .versionNotSupported : .repoInvalid))
        #expect(error?.message.contains(checksHeader ? Self.name : "repo1: is away") == true)
    }

    // MARK: The format

    /// A far repository gets the segment while it still tells what its archive has. That archive is of format 6, and nothing stays there.
    @Test(arguments: [false, true], [false, true])
    func formatThatIsOnlyRead(_ isFar: Bool, _ hasOther: Bool) async throws {
        let codec = try CountingCodec("lz4")
        let archive = try await MemoryArchive(1, in: TroubledStorage(isFar: isFar), format: 6)
        let other = try await MemoryArchive(2, in: TroubledStorage(isFar: isFar))
        let push = SegmentPush(
            Self.file(ChangingFile([Self.bytes])), Self.targets([archive] + (hasOther ? [other] : []), of: try controlFile()),
            try Self.settings(codec.driver))
        if hasOther {
            let failures = try await push.run()
            #expect(failures.count == 1 && failures[0].hasPrefix("repo1: stanza 'demo' is of repository format 6"), "\(failures)")
            #expect(try await other.names() == [try Self.stored(codec.driver)])
        } else {
            let error = await #expect(throws: BackupError.self) { _ = try await push.run() }
            #expect(error?.code == .format)
        }
        #expect(try await archive.names() == [])
    }
}

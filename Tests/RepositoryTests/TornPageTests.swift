import BackstopCodecs
import BackstopDrivers
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// A page that the server writes while it is read is read again before it is judged, however its file is stored.
struct TornPageTests {
    /// Three pages, the last two with right checksums, which are found by trying.
    private static let good: [UInt8] = {
        let check = PageCheck()
        return [UInt8](repeating: 0, count: 8192)
            + (1...2).flatMap { number in
                var page = (0..<8192).map { UInt8(truncatingIfNeeded: $0 &* (7 + number)) }
                page.setNumber(UInt16(1), at: 14)
                for sum in UInt16.min...UInt16.max {
                    page.setNumber(sum, at: 8)
                    if check.isGood(page, number: UInt32(number)) { break }
                }
                return page
            }
    }()

    /// Half of that page is of another moment.
    private static func torn(_ page: Int) -> [UInt8] {
        var bytes = good
        for place in page * 8192 + 4096..<(page + 1) * 8192 { bytes[place] ^= 0x55 }
        return bytes
    }

    enum Storing: CaseIterable { case whole, bundle, blocks, bundledBlocks }

    /// What became of files that have these contents, one opening after the other.
    private func store(_ contents: [[UInt8]], files: Int = 1, _ storing: Storing) async throws -> (files: [StoredFile], opened: Int) {
        var registry = Registry()
        registerBuiltinCodecs(in: &registry)
        let tree = ChangingFile(contents, control: try controlFile().stored)
        var settings = Log.Settings()
        settings.console = .off
        let log = Log()
        log.configure(settings)
        let context = RunContext(
            command: "backup", options: Options(), positional: [], registry: registry, log: log, openTree: { _ in tree },
            openHost: { _, _, _, _ throws(BackupError) in throw BackupError(.unsupported, "no hosts") }, inheritedOptions: [],
            programPath: "")
        let repository = StanzaRepository(Repository(index: 1, storage: MemoryStorage(), registry: registry, seal: nil), "demo", log)
        let isBlocks = storing == .blocks || storing == .bundledBlocks
        var policy = BackupPolicy()
        policy.bundling = storing == .whole ? nil : BackupPolicy.Bundling()
        policy.blocks = isBlocks ? BlockRules() : nil
        let label = label("20261121-033952F")
        let run = BackupRun(
            repository: repository, label: label, references: [label], coding: ObjectCoding(try registry.codec("zst"), nil),
            cluster: try ClusterFiles(context, path: "/data"), standby: nil, control: try controlFile(), policy: policy,
            bundleFraming: isBlocks ? .raw : .normal, lease: try await RepositoryLease.take(repository, context), watches: [],
            clock: CopyClock(2000, begun: 2000), meter: ProgressMeter("backup", size: 0, context), log: log)
        let planned = (0..<files).map { number in
            PlannedFile(
                file: ListedFile(
                    name: ManifestName("pg_data/base/5/\(16384 + number)"), size: UInt64(Self.good.count), modified: 1000,
                    attributes: FileAttributes(mode: 0o600, owner: Manifest.Owner())), checksPages: true, isCut: true, base: nil,
                blocks: isBlocks ? BlockFormat(size: 8192, checksumSize: 6) : nil)
        }
        let worker = try BackupWorker(run, number: 1, storing == .bundledBlocks ? .raw : .normal)
        var stored: [StoredFile] = []
        if storing == .bundle || storing == .bundledBlocks {
            stored = try await worker.copy(planned, bundle: 1)
        } else {
            for file in planned { if let copied = try await worker.copy(file) { stored.append(copied) } }
        }
        await run.lease.release(leaving: false)
        return (stored, tree.opened)
    }

    @Test func theseAreTorn() {
        let check = PageCheck()
        for (bytes, errors) in [(Self.good, []), (Self.torn(1), [1...1]), (Self.torn(2), [2...2])] as [([UInt8], [ClosedRange<UInt32>])] {
            check.reset()
            bytes.withUnsafeBytes { check.update(RawSpan(_unsafeStart: $0.baseAddress!, byteCount: $0.count)) }
            check.finish()
            #expect(check.errors == errors)
        }
    }

    @Test(arguments: Storing.allCases)
    func isReadAgain(_ storing: Storing) async throws {
        // The page is whole, another one is torn now, the file was cut or is empty.
        for second in [Self.good, Self.torn(2), Array(Self.good.prefix(8192)), Array(Self.torn(1).prefix(8192 + 5000)), []] {
            let outcome = try await store([Self.torn(1), second], storing)
            #expect(outcome.opened == 2)
            #expect(outcome.files.map(\.pagesValid) == [true] && outcome.files.map(\.pageErrors) == [[]])
            #expect(outcome.files.allSatisfy { $0.size == 3 * 8192 && $0.checksum != nil })
        }
    }

    /// And not again and again: what is as wrong the second time is wrong.
    @Test(arguments: Storing.allCases)
    func isJudged(_ storing: Storing) async throws {
        let outcome = try await store([Self.torn(1)], storing)
        #expect(outcome.opened == 2 && outcome.files.map(\.pagesValid) == [false] && outcome.files.map(\.pageErrors) == [[1...1]])
        #expect(try await store([Self.good], storing).opened == 1)
    }

    /// Each by its own pages, also when the second look comes after the whole bundle.
    @Test(arguments: Storing.allCases)
    func several(_ storing: Storing) async throws {
        let firsts = [Self.torn(1), Self.good, Self.torn(2), Self.torn(1)], seconds = [Self.good, Self.torn(2), Self.torn(2)]
        let isTogether = storing == .bundle || storing == .bundledBlocks
        // One after the other, each is looked at before the next one.
        let contents = isTogether ? firsts + seconds : [firsts[0], seconds[0], firsts[1], firsts[2], seconds[1], firsts[3], seconds[2]]
        let outcome = try await store(contents, files: 4, storing)
        #expect(outcome.files.map(\.pagesValid) == [true, true, false, true])
        #expect(outcome.files.map(\.pageErrors) == [[], [], [2...2], []])
    }
}

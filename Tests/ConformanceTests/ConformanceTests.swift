// Every subject meets every check.

import BackstopConformance
import BackstopCore
import EndToEndSupport
import Testing

extension Check {
    /// For tests that have to clean up before they fail.
    func result(on subject: Subject) async -> Result<Verdict, ConformanceFailure> {
        do throws(ConformanceFailure) { return .success(try await run(on: subject)) } catch { return .failure(error) }
    }
}

@Suite struct ConformanceTests {
    @Test(arguments: storageTable, storageChecks)
    func storage(_ entry: StorageTable, _ check: Check<StorageSubject>) async throws {
        let subject = try await entry.subject()
        let verdict = await check.result(on: subject)
        try await subject.storage.removeAll(.root)
        #expect(try verdict.get() == .passed, "every one of these can do all of it")
    }

    @Test(arguments: fileTreeTable, fileTreeChecks)
    func fileTree(_ entry: StorageTable, _ check: Check<FileTreeSubject>) async throws {
        let tree = try #require(try await entry.make() as? any FileTree)
        let verdict = await check.result(on: FileTreeSubject(name: entry.name, tree: tree, prefix: Key("checks")))
        try await tree.removeAll(.root)
        #expect(try verdict.get() == .passed, "every one of these can do all of it")
    }

    @Test(arguments: codecSubjects, codecChecks)
    func codec(_ subject: CodecSubject, _ check: Check<CodecSubject>) async throws {
        try settle(try await check.run(on: subject), check.name, lacking: lacking(subject))
    }

    @Test(arguments: chainSubjects, chainChecks)
    func chain(_ subject: ChainSubject, _ check: Check<ChainSubject>) async throws {
        try settle(try await check.run(on: subject), check.name, lacking: [])
    }

    @Test(arguments: codecDriverSubjects, codecDriverChecks)
    func codecDriver(_ subject: CodecDriver, _ check: Check<CodecDriver>) async throws {
        try settle(try await check.run(on: subject), check.name, lacking: [])
    }

    @Test(arguments: checksumSubjects, checksumChecks)
    func checksum(_ subject: ChecksumSubject, _ check: Check<ChecksumSubject>) async throws {
        try settle(try await check.run(on: subject), check.name, lacking: [])
    }

    /// Checks that cannot apply to a codec.
    private func lacking(_ codec: CodecSubject) -> Set<String> {
        let unsalted: Set = ["no two encodings are the same", "what must be refused is refused"]
        let endless = "a second stream is refused or decoded, never dropped"
        let anyBytes: Set = [
            "reset after an error makes ready for the next object", "garbage is refused", "bytes after the end are refused",
            "a truncated stream is refused",
        ]
        return switch codec.name.split(separator: " ").first {
        case "none": unsalted.union(anyBytes).union([endless, "the header is the format's"])
        // Of a raw one the salt is stored elsewhere.
        case "aes-256-cbc": codec.name.hasSuffix("raw") ? [endless, "the header is the format's"] : [endless]
        default: unsalted
        }
    }
}

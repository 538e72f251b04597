// Every subject meets every check.

import BackstopConformance
import BackstopCore
import Testing

/// A check that does not apply says so: it is cancelled, not passed, and as the console is silent about that, it is printed too.
func settle(_ verdict: Verdict, _ check: String) throws {
    guard case .notApplicable(let reason) = verdict else { return }
    print("'\(check)' does not apply: \(reason)")
    try Test.cancel(Comment(rawValue: reason))
}

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
        try settle(try await check.run(on: subject), check.name)
    }

    @Test(arguments: chainSubjects, chainChecks)
    func chain(_ subject: ChainSubject, _ check: Check<ChainSubject>) async throws {
        try settle(try await check.run(on: subject), check.name)
    }

    @Test(arguments: codecDriverSubjects, codecDriverChecks)
    func codecDriver(_ subject: CodecDriver, _ check: Check<CodecDriver>) async throws {
        try settle(try await check.run(on: subject), check.name)
    }

    @Test(arguments: checksumSubjects, checksumChecks)
    func checksum(_ subject: ChecksumSubject, _ check: Check<ChecksumSubject>) async throws {
        try settle(try await check.run(on: subject), check.name)
    }
}

// Every check sees what it is for: each broken subject fails the checks named for it, and no check is without a broken subject.

import BackstopConformance
import BackstopCore
import Testing

/// Runs the named checks, all of which must fail.
private func expectCaught<Subject>(_ subject: Subject, by names: [String], of checks: [Check<Subject>]) async throws {
    for name in names {
        let check = try #require(checks.first { $0.name == name }, "there is no check '\(name)'")
        await #expect(throws: ConformanceFailure.self, "'\(name)' does not see that \(subject.name)") {
            _ = try await check.run(on: subject)
        }
    }
}

private func expectAllNamed<Subject>(_ names: [String], of checks: [Check<Subject>]) {
    for check in checks { #expect(names.contains(check.name), "no saboteur proves the check '\(check.name)'") }
    #expect(Set(checks.map(\.name)).count == checks.count, "two checks have one name")
}

@Suite struct SaboteurTests {
    @Test(arguments: StorageFault.allCases)
    func storage(_ fault: StorageFault) async throws {
        for name in fault.caughtBy {
            let storage = FaultyStorage(fault)
            let subject = StorageSubject(name: fault.rawValue, storage: storage, prefix: Key("checks")) { (_) throws(BackupError) in storage
            }
            try await expectCaught(subject, by: [name], of: storageChecks)
        }
    }

    @Test(arguments: ProgramFault.allCases)
    func program(_ fault: ProgramFault) async throws {
        let subject = StorageSubject(name: fault.rawValue, storage: FaultyProgram(fault), prefix: Key("checks"))
        try await expectCaught(subject, by: [fault.caughtBy], of: programChecks)
    }

    /// Without a fault it passes: what the checks see is the fault.
    @Test(arguments: programChecks)
    func soundProgram(_ check: Check<StorageSubject>) async throws {
        let subject = StorageSubject(name: "sound", storage: FaultyProgram(nil), prefix: Key("checks"))
        #expect(try await check.run(on: subject) == .passed)
    }

    @Test(arguments: FileTreeFault.allCases)
    func fileTree(_ fault: FileTreeFault) async throws {
        let subject = FileTreeSubject(name: fault.rawValue, tree: FaultyTree(fault), prefix: Key("checks"))
        try await expectCaught(subject, by: [fault.caughtBy], of: fileTreeChecks)
    }

    @Test(arguments: CodecFault.allCases)
    func codec(_ fault: CodecFault) async throws {
        try await expectCaught(try fault.subject(), by: fault.caughtBy, of: codecChecks)
    }

    @Test func chains() async throws {
        for (fault, name) in chainSaboteurs {
            let gz = FaultyCodec(try registry.codec("gz").open(6, .normal), fault)
            try await expectCaught(ChainSubject(name: fault.rawValue, codecs: [gz]), by: [name], of: chainChecks)
        }
    }

    @Test func codecDrivers() async throws {
        for (driver, name) in codecDriverSaboteurs { try await expectCaught(driver, by: [name], of: codecDriverChecks) }
    }

    @Test(arguments: ChecksumFault.allCases)
    func checksum(_ fault: ChecksumFault) async throws {
        try await expectCaught(try fault.subject(), by: [fault.caughtBy], of: checksumChecks)
    }

    @Test func everyCheckHasASaboteur() {
        expectAllNamed(StorageFault.allCases.flatMap(\.caughtBy), of: storageChecks)
        expectAllNamed(ProgramFault.allCases.map(\.caughtBy), of: programChecks)
        expectAllNamed(FileTreeFault.allCases.map(\.caughtBy), of: fileTreeChecks)
        expectAllNamed(CodecFault.allCases.flatMap(\.caughtBy), of: codecChecks)
        expectAllNamed(chainSaboteurs.map(\.caughtBy), of: chainChecks)
        expectAllNamed(codecDriverSaboteurs.map(\.caughtBy), of: codecDriverChecks)
        expectAllNamed(ChecksumFault.allCases.map(\.caughtBy), of: checksumChecks)
    }
}

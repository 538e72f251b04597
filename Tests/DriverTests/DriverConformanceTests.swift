import BackstopConformance
import BackstopCore
import EndToEndSupport
import Foundation
import Testing

/// Storages in other processes meet every check of the contract.
@Suite(.servers) struct DriverConformanceTests {
    @Test(arguments: ProgramKind.allCases, storageChecks + programChecks)
    func storage(_ kind: ProgramKind, _ check: Check<StorageSubject>) async throws {
        let folder = try TemporaryFolder()
        let verdict = try await check.run(on: kind.subject(folder))
        // The example in Python keeps things simple.
        try settle(verdict, check.name, lacking: kind == .python ? ifAbsentChecks : [])
    }

    /// What `serve` serves is a file tree when its own storage is one.
    @Test(arguments: [ProgramKind.served, .ssh], fileTreeChecks)
    func tree(_ kind: ProgramKind, _ check: Check<FileTreeSubject>) async throws {
        let folder = try TemporaryFolder()
        let tree = try #require(try await kind.open(folder) as? any FileTree)
        let prefix = Key("checks")
        try await tree.makeDirectory(prefix, Attributes())
        let verdict = try await check.run(on: FileTreeSubject(name: kind.rawValue, tree: tree, prefix: prefix, isConfined: true))
        try settle(verdict, check.name, lacking: [])
    }

    /// The suite finds what a driver's author is most likely to get wrong.
    @Test(arguments: ["writes in place", "lies about the size", "loses what it stored", "sends too much", "lies about the name"])
    func saboteur(_ mode: String) async throws {
        let folder = try TemporaryFolder()
        let storage = try await openProgram("folder", Saboteur.command(mode), ["folder-root": folder.path])
        var failed: [String] = []
        for check in storageChecks {
            do {
                let prefix = Key("checks/\(failed.count)")
                _ = try await check.run(on: StorageSubject(name: mode, storage: storage, prefix: prefix, life: .reduced))
            } catch {
                failed.append(check.name)
            }
        }
        #expect(!failed.isEmpty)
    }
}

/// Drivers that once passed all checks and would have lost backups: each is caught by the check that is there for it.
@Suite(.servers) struct SaboteurDriverTests {
    @Test(arguments: [
        ("keeps an index without a lock", "what is put at the same moment is all there"),
        ("keeps an index without a lock", "what is put and removed at the same moment is there and gone"),
        ("asks first, puts after 0", "of many puts if absent one wins"), ("asks first, puts after 1500", "of many puts if absent one wins"),
        ("commits at the end of input", "a put that breaks off leaves what was there"),
        ("loses the last byte above 8", "objects as large as real ones come back"),
        ("loses the last byte above 64", "objects as large as real ones come back"),
        ("loses an entry in 10000", "a listing of many entries is whole"),
        ("removes the first hundred", "as many as one call may have are removed"), ("takes any name", "what is no name is refused"),
        ("ignores the path", "another path is another repository"), ("stays after the end of input", "a process ends when its input ends"),
        ("ends with a status", "a process ends when its input ends"),
        ("hangs at the hundredth request", "a listing of many entries is whole"),
    ])
    func caught(_ mode: String, _ name: String) async throws {
        let folder = try TemporaryFolder()
        let open = { @Sendable (path: String) async throws(BackupError) in
            try await openProgram("folder", Saboteur.command(mode), ["folder-root": folder.path], path: path, answer: 5000)
        }
        let subject = StorageSubject(name: mode, storage: try await open("/kept"), prefix: Key("checks")) {
            (name) async throws(BackupError) in
            try await open("/kept/" + name)
        }
        let check = try #require((storageChecks + programChecks).first { $0.name == name })
        let failure = await #expect(throws: ConformanceFailure.self) { _ = try await check.run(on: subject) }
        if mode.hasPrefix("hangs") { #expect(failure?.reason.contains("does not answer within") == true, "\(failure?.reason ?? "")") }
    }
}

enum Saboteur {
    static func command(_ mode: String) -> [String] {
        [Checkout.path("Tests/tools/saboteur-driver"), mode, Checkout.path("Examples/python-driver/folder-driver")]
    }
}

import BackstopConformance
import BackstopCore
import EndToEndSupport
import Foundation
import Testing

/// Storages in other processes meet every check of the contract.
@Suite(.servers) struct DriverConformanceTests {
    @Test(arguments: ProgramKind.allCases, storageChecks)
    func storage(_ kind: ProgramKind, _ check: Check<StorageSubject>) async throws {
        let folder = try TemporaryFolder()
        let storage = try await kind.open(folder)
        let verdict = try await check.run(on: StorageSubject(name: kind.rawValue, storage: storage, prefix: Key("checks")))
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
                _ = try await check.run(on: StorageSubject(name: mode, storage: storage, prefix: Key("checks/\(failed.count)")))
            } catch {
                failed.append(check.name)
            }
        }
        #expect(!failed.isEmpty)
    }
}

enum Saboteur {
    static func command(_ mode: String) -> [String] {
        [Checkout.path("Tests/tools/saboteur-driver"), mode, Checkout.path("Examples/python-driver/folder-driver")]
    }
}

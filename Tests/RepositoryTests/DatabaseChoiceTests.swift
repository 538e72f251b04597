import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Which databases become empty, by repository-format.md section 10.8.
struct DatabaseChoiceTests {
    private var backup: Manifest {
        var backup = manifest()
        for (name, id) in [("postgres", 5), ("template0", 4), ("template1", 1), ("a", 16_384), ("b", 16_385), ("7", 16_386)]
            as [(String, UInt64)]
        {
            backup.databases.append(.init(name: name, id: id, lastSystemID: 0))
        }
        // c was made after the list of names, and has files in a tablespace only.
        let folders = ["base/1", "base/4", "base/5", "base/16384", "base/16385", "base/16386"].map { "pg_data/\($0)" }
        backup.files = (folders + ["pg_tblspc/900/PG_15_202209061/20000"]).map { storedFile("\($0)/PG_VERSION", size: 3) }
        backup.files.append(storedFile("pg_data/PG_VERSION", size: 3))
        return backup
    }

    @Test(
        arguments: [
            ([], ["a"], [16_384]), ([], ["16385", "a"], [16_384, 16_385]), ([], ["7"], [16_386]), ([], ["20000"], [20_000]),
            (["a"], [], [16_385, 16_386, 20_000]), (["a", "20000"], [], [16_385, 16_386]),
            (["a"], ["postgres"], [5, 16_385, 16_386, 20_000]),
            ([], ["template1"], [1]),
        ] as [([String], [String], Set<UInt64>)])
    func emptied(_ included: [String], _ excluded: [String], _ expected: Set<UInt64>) throws {
        #expect(try DatabaseChoice(backup, included: included, excluded: excluded)?.emptied == expected)
    }

    @Test(
        arguments: [
            (["postgres"], [], .dbInvalid), (["template1"], [], .dbInvalid), (["template0"], [], .dbInvalid), (["1"], [], .dbInvalid),
            (["a"], ["a"], .dbInvalid), (["c"], [], .dbMissing),
            ([], ["30000"], .dbMissing),
            ([], ["A"], .dbMissing),
        ] as [([String], [String], BackupError.Code)])
    func refused(_ included: [String], _ excluded: [String], _ code: BackupError.Code) {
        let error = #expect(throws: BackupError.self) { _ = try DatabaseChoice(backup, included: included, excluded: excluded) }
        #expect(error?.code == code)
    }

    @Test func nothingChosen() throws {
        #expect(try DatabaseChoice(backup, included: [], excluded: []) == nil)
        let error = #expect(throws: BackupError.self) { _ = try DatabaseChoice(manifest(), included: ["a"], excluded: []) }
        #expect(error?.code == .format)
    }

    @Test(arguments: [
        ("pg_data/base/16384/1259", true), ("pg_data/base/16384/PG_VERSION", false), ("pg_data/base/16384/x/PG_VERSION", true),
        ("pg_data/base/163840/1259", false), ("pg_data/base/16385/1259", false), ("pg_data/global/16384", false),
        ("pg_tblspc/900/PG_15_202209061/16384/20001", true), ("pg_tblspc/900/PG_15_202209061/16384/PG_VERSION", false),
        ("pg_tblspc/16384/PG_15_202209061/5/20001", false), ("pg_data/16384/base", false),
    ])
    func files(_ name: String, _ isEmptied: Bool) throws {
        let choice = try #require(try DatabaseChoice(backup, included: [], excluded: ["a"]))
        #expect(choice.isEmptied(ManifestName(name)) == isEmptied)
    }
}

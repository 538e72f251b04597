import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// A restore that cannot fit is refused, one that could is not.
struct RestoreSpaceTests {
    @Test(
        arguments: [
            (100, 100, 0, false, false), (101, 100, 0, false, true), (150, 100, 50, false, false), (151, 100, 50, false, true),
            (500, 100, 0, true, false), (0, 0, 0, false, false),
        ] as [(UInt64, UInt64, UInt64, Bool, Bool)])
    func isTooSmall(_ needed: UInt64, _ free: UInt64, _ replaced: UInt64, _ compresses: Bool, _ isTooSmall: Bool) {
        let fits = RestoreSpace(path: "/a", needed: 1, free: 1)
        let system = RestoreSpace(path: "/pg", needed: needed, free: free, replaced: replaced, compresses: compresses)
        let refusal = RestoreSpace.refusal([fits, system])
        #expect((refusal != nil) == isTooSmall)
        if let refusal { #expect(refusal.code == .full && refusal.message.contains("'/pg'") && refusal.hint?.contains("Nothing") == true) }
    }

    @Test func bytesByPlace() {
        let files: [(String, UInt64)] = [
            ("pg_data/a", 1), ("pg_data/pg_wal/b", 2), ("pg_data/pg_wal2/c", 4), ("pg_tblspc/1/PG_15/x", 8), ("pg_tblspc/12/PG_15/x", 16),
            ("pg_data/pg_hba.conf", 32),
        ]
        let places = ["pg_data", "pg_data/pg_wal", "pg_tblspc/1", "pg_tblspc/12", "pg_data/pg_hba.conf"]
        let bytes = RestoreSpace.bytes(files.map { (name: $0.0, size: $0.1) }, by: places.map { Key($0) })
        let paths = Dictionary(uniqueKeysWithValues: bytes.map { ($0.key.path, $0.value) })
        #expect(paths == ["pg_data": 5, "pg_data/pg_wal": 2, "pg_tblspc/1": 8, "pg_tblspc/12": 16, "pg_data/pg_hba.conf": 32])
    }
}

import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Names are bytes, however they are held.
struct ManifestNameTests {
    private static let names = [
        "pg_data", "pg_data-x/a", "pg_data/a", "pg_data/a-b", "pg_data/a/b", "pg_data/ab", "pg_data/e\u{301}", "pg_data/\u{e9}",
        "pg_data/\u{ffff}", "pg_data/\(FileName.text([0xE9]))", "pg_data/\u{10000}", "pg_tblspc/1/PG_15_1/5/1",
    ]

    @Test func order() {
        for a in Self.names {
            for b in Self.names {
                #expect((ManifestName(a) < ManifestName(b)) == bytewiseLess(a, b), "\(a) \(b)")
                #expect((ManifestName(a) == ManifestName(b)) == sameBytes(a, b), "\(a) \(b)")
            }
        }
    }

    @Test func sharing() {
        var names = ManifestName.Sharing()
        let made = Self.names.map { names.name($0) }
        #expect(made.map(\.text) == Self.names)
        #expect(made[2].folder === made[3].folder && made[2].folder !== made[4].folder)
        #expect(made.map { ManifestName($0.text) } == made)
        #expect(Set(made).count == made.count)
    }
}

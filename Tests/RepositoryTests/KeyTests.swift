import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Names are bytes: a slash is a slash whatever stands behind it.
struct KeyTests {
    /// A combining mark joins the character before it, also a slash.
    static let mark = "\u{301}"

    @Test func partsOfAKey() {
        let key = Key("base") / "\(Self.mark)x"
        #expect(key.path.utf8.elementsEqual("base/\(Self.mark)x".utf8))
        #expect(key.name.utf8.elementsEqual("\(Self.mark)x".utf8))
        #expect(key.parent == Key("base"))
        #expect((Key("\(Self.mark)a") / "b").parent == Key("\(Self.mark)a"))
        #expect(Key("a/e\(Self.mark)") != Key("a/\u{e9}"))
        #expect(Set([Key("a/e\(Self.mark)"), Key("a/\u{e9}")]).count == 2)
    }

    @Test(arguments: ["a/../\(mark)b", "../\(mark)b", "a//\(mark)", "a/./\(mark)", "\(mark)/..", "/\(mark)a", "a/\(mark)/../b", "a\0b"])
    func leadsOutside(_ name: String) {
        #expect(throws: BackupError.self) { try Key(checking: name) }
    }

    @Test(arguments: ["a/\(mark)b", "\(mark)", "a/..\(mark)", "a/.\(mark)/b", "\(mark)/a"])
    func staysInside(_ name: String) throws {
        #expect(try Key(checking: name).path.utf8.elementsEqual(name.utf8))
    }

    @Test func pagesOfAFile() {
        #expect(DatabasePath.segment(of: "pg_data/base/5/\(Self.mark)16384.3") == 3)
        #expect(DatabasePath.hasPages("pg_data/base/5/5"))
        #expect(!DatabasePath.hasPages("pg_data/base/5/\(Self.mark)5"))
        #expect(!DatabasePath.hasPages("pg_data/base/\(Self.mark)5/1"))
    }
}

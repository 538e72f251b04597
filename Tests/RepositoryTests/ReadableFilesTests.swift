import Testing

@testable import BackstopCommands

/// Which files have to be tried before it is known that they can be read.
struct ReadableFilesTests {
    @Test(
        arguments: [
            ("postgres", 0o600, "postgres", "postgres", false), ("postgres", 0o400, "postgres", nil, false),
            ("postgres", 0o200, "postgres", "postgres", true), ("postgres", 0o077, "postgres", "postgres", true),
            // A reader of the group.
            ("backup", 0o640, "postgres", "postgres", false), ("backup", 0o600, "postgres", "postgres", true),
            ("backup", 0o644, "postgres", "other", true), ("backup", 0o644, "postgres", nil, true),
            // Whoever owns a file has not got the rights of its group.
            ("postgres", 0o040, "postgres", "postgres", true), (nil, 0o640, "postgres", "postgres", false),
            (nil, 0o600, "postgres", "postgres", true),
        ] as [(String?, UInt32, String, String?, Bool)])
    func doubt(_ reader: String?, _ mode: UInt32, _ user: String, _ group: String?, _ expected: Bool) {
        let file = FileAttributes(mode: mode, owner: Manifest.Owner(user: user, group: group))
        #expect(ReadableFiles(user: reader, group: "postgres").isDoubtful(file) == expected)
    }
}

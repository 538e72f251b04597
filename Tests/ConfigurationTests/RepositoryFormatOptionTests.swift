@testable import BackstopCommands
@testable import BackstopCore
import Testing

/// Options of repository format 6, by format-6.md sections 6 and 8.
@Suite struct RepositoryFormatOptionTests {
    private let create = "--stanza=s --pg1-path=/pg"
    private let encrypted = "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=x\n"

    @Test(
        arguments: [
            ("--repo1-format=5 stanza-create", 0), ("--repo1-format=6 stanza-create", 29), ("--repo1-format=7 stanza-create", 32),
            ("--repo1-format=x stanza-create", 32), ("--repo-format=5 stanza-create", 31), ("--repo1-format=5 archive-push x", 31),
            ("--repo1-format=6 --repo1-retention-full=2 backup", 31), ("stanza-create", 0),
        ] as [(String, Int32)])
    func format(_ line: String, _ expected: Int32) {
        let error = failure("\(create) \(line)")
        #expect((error?.code.exitStatus ?? 0) == expected, "\(error?.message ?? "none")")
        guard expected == 29 else { return }
        #expect(
            error?.message.contains("'repo1-format' asks for repository format 6") == true && error?.hint?.contains("pgBackRest") == true)
    }

    /// Any of several repositories.
    @Test func ofAnotherRepository() {
        #expect(status("\(create) --repo2-path=/r2 --repo2-format=6 stanza-create") == 29)
        #expect(status("\(create) --repo2-path=/r2 --repo2-format=5 stanza-create") == 0)
    }

    /// In a file it is said to be in the wrong place, whatever the command; the environment is for the commands that have it.
    @Test func elsewhere() throws {
        for command in ["--pg1-path=/pg stanza-create", "info"] {
            let configuration = try load("--stanza=s \(command)", file: "[global]\nrepo1-format=6\n")
            #expect(configuration.warnings.contains { $0.contains("'repo1-format'") && $0.contains("command line") }, "\(command)")
        }
        #expect(status("--stanza=s info", environment: ["PGBACKREST_REPO1_FORMAT": "6"]) == 0)
        #expect(status("\(create) stanza-create", environment: ["PGBACKREST_REPO1_FORMAT": "6"]) == 29)
    }

    @Test(
        arguments: [
            ("15d", true, 0), ("9999999d", true, 0), ("14d", true, 32), ("10000000d", true, 32), ("x", true, 32), ("30d", false, 31),
        ] as [(String, Bool, Int32)])
    func rotation(_ text: String, _ isEncrypted: Bool, _ expected: Int32) {
        let file = "[global]\n" + (isEncrypted ? encrypted : "")
        #expect(status("--repo1-cipher-rotate=\(text) \(backup)", file: file) == expected)
    }

    @Test func rotationInAFile() throws {
        let configuration = try load(backup, file: "[global]\n\(encrypted)repo1-cipher-rotate=30d\n")
        #expect(configuration.options[CodecOptions.cipherRotate, 1] == .seconds(30 * 86_400))
        #expect(configuration.options.isGiven(CodecOptions.cipherRotate, 1))
        #expect(try load(backup, file: "[global]\n\(encrypted)").options.isGiven(CodecOptions.cipherRotate, 1) == false)
    }

    /// Not on pages of help, but on one of its own.
    @Test func areHidden() {
        for option in [RepositoryOptions.format.spec, CodecOptions.cipherRotate.spec] { #expect(option.isHidden) }
    }
}

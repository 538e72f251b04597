import BackstopCommands
import Testing

@testable import BackstopCore

/// plugins.conf, and the options that it brings.
@Suite struct PluginsTests {
    private let text = """
        # what there is
        [storage]
        posix = builtin
        tape = exec /opt/tape --library "2 b"   # ours
        [codec]
        zst = builtin
        xz = filter "xz -T1 -c" 'xz -dc'
        """

    @Test func lines() throws {
        let file = try PluginsFile(text: text, path: "p")
        #expect(file.entries(.storage).map(\.name) == ["posix", "tape"])
        #expect(file.entries(.storage)[1].origin == .program(["/opt/tape", "--library", "2 b"]))
        #expect(file.entries(.codec)[1].origin == .filter(encode: ["xz", "-T1", "-c"], decode: ["xz", "-dc"]))
        #expect(file.filters == ["xz"] && file.entries(.cipher).isEmpty)
    }

    @Test(
        arguments: [
            ("", []), ("  a\tb ", ["a", "b"]), ("'a b' c", ["a b", "c"]), ("a\"b c\"d", ["ab cd"]), ("''", [""]), (#"a\ b"#, ["a b"]),
            (#""a\"b""#, [#"a"b"#]), (#"'a\b'"#, [#"a\b"#]), ("a #b", ["a"]), ("a#b", ["a#b"]), ("'#'", ["#"]),
        ] as [(String, [String])])
    func words(_ text: String, _ wanted: [String]) { #expect(shellWords(text) == wanted) }

    @Test(arguments: ["'a", "a \"b", "a\\"])
    func noWords(_ text: String) { #expect(shellWords(text) == nil) }

    @Test(arguments: [
        "[storage]\ntape = exec", "[storage]\ntape = filter a b", "[storage]\nTape = exec a", "[storage]\nta-pe = exec a",
        "[codec]\nxz = filter a",
        "[codec]\nxz = filter a 'b", "[checksum]\nmd5 = exec a", "[disc]\n", "posix = builtin", "[storage]\nposix = builtin x",
        "[storage]\nposix = builtin\nposix = builtin", "[storage]\nposix",
    ])
    func mistakes(_ text: String) {
        #expect { _ = try PluginsFile(text: text, path: "plugins.conf") } throws: {
            ($0 as? BackupError)?.code == .config && "\($0)".contains("plugins.conf line ")
        }
    }

    private func load(_ line: String, _ file: String) throws(BackupError) -> Configuration {
        let table = OptionTable.standard(registry, programs: ["tape"], filters: ["xz"])
        return try ConfigurationTests.load(line, in: Files(["ours/pgbackstop.conf": file]), table)
    }

    /// A program's options are known by their beginning, everywhere where options are.
    @Test func options() throws {
        let configuration = try load(
            "--stanza=s archive-push --repo1-tape-pin=1 x", "[global]\nrepo1-type=tape\nrepo1-tape-library=7\ncompress-type=xz\n")
        #expect(configuration.options.string("repo-type", 1) == "tape" && configuration.options.string("repo-tape-library", 1) == "7")
        #expect(configuration.options.string("compress-type") == "xz")
        // Whether it is a secret is not known yet.
        #expect(!configuration.commandLineText.contains("pin"))
        #expect(!configuration.arguments(for: "archive-get").joined().contains("pin"))
    }

    /// A program may stand in the place of a driver that is built in, or of one that this version does not have.
    @Test func programsOfKnownNames() throws {
        let table = OptionTable.standard(registry, programs: ["azure", "s3", "tape"])
        let type = try #require(table.option("repo-type"))
        #expect(type.choices(for: "backup") == ["azure", "cifs", "gcs", "posix", "s3", "sftp", "ssh", "tape"])
        #expect(type.unsupportedValues == ["gcs"])
        #expect(table.option("repo-symlink")?.dependency?.values == ["azure", "posix", "s3", "ssh", "tape"])
    }

    /// A driver that plugins.conf does not name is said to be that, wherever it is met first.
    @Test(arguments: [
        ("", "[global]\nrepo1-type=disc\nrepo1-disc-folder=/x\n"), ("", "[global]\nrepo1-disc-folder=/x\nrepo1-type=disc\n"),
        ("", "[global]\nrepo1-type=disc\n"), ("--repo1-type=disc ", ""), ("--repo1-disc-folder=/x --repo1-type=disc ", ""),
    ])
    func missingDriver(_ options: String, _ file: String) {
        #expect { _ = try load("\(options)--stanza=s archive-push x", file) } throws: {
            "\($0)".contains("driver 'disc' (repo1-type) is not in /etc/pgbackstop/plugins.conf") && "\($0)".contains("disc = exec PROGRAM")
        }
    }

    @Test func driverToCheckIsMissing() {
        #expect { _ = try load("driver check disc --repo1-disc-folder=/x", "") } throws: {
            "\($0)".contains("driver 'disc' (repo1-type) is not in /etc/pgbackstop/plugins.conf")
        }
    }

    @Test(arguments: [
        ("[global]\nrepo1-type=disc\n", BackupError.Code.optionInvalidValue), ("[global]\nrepo1-disc-x=1\n", .optionInvalid),
        ("[global]\nrepo-tape-x=1\n", .optionInvalid), ("[global]\ncompress-type=tape\n", .optionInvalidValue),
    ])
    func unknown(_ file: String, _ code: BackupError.Code) {
        #expect { _ = try load(backup, file) } throws: { ($0 as? BackupError)?.code == code }
    }
}

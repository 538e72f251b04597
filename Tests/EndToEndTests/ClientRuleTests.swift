import EndToEndSupport
import Foundation
import Testing

/// What monitoring and other programs that call pgbackrest rely on, without a server. Options on either side of the command and foreign
/// variables of the environment are in ConfigurationTests, the statuses of archive-get in ArchiveFailureTests, the words of the log in
/// LogLineTests.
@Suite
struct ClientRuleTests {
    /// A plugin for a monitoring system merges both streams and compares the version as text.
    @Test(arguments: [
        (["version"], "pgBackRest 2.60.0\n"), (["version", "--output=num"], "2060000"), (["version", "--output", "num"], "2060000"),
        (["version", "--config=/nowhere/x.conf"], "pgBackRest 2.60.0\n"),
    ])
    func version(_ arguments: [String], _ text: String) throws {
        let outcome = try attempt([Tool.byPeersName.path] + arguments, environment: ["PGBACKREST_PROCESS_MAX": "x"])
        #expect(outcome.status == 0 && outcome.output == text && outcome.errors.isEmpty, "\(outcome)")
    }

    /// Found in PATH, the name counts as well.
    @Test func theNameIsEnough() throws {
        let folder = URL(fileURLWithPath: Tool.byPeersName.path).deletingLastPathComponent().path
        let outcome = try attempt(["/bin/sh", "-c", "pgbackrest version"], environment: ["PATH": "\(folder):/usr/bin:/bin"])
        #expect(outcome.output == "pgBackRest 2.60.0\n", "\(outcome)")
    }

    /// Whoever reads JSON reads standard error with it: one line, and nothing else at default levels, whatever the configuration is like.
    @Test(arguments: [Tool.byPeersName, Tool.underTest])
    func oneLineOfJSON(_ tool: Tool) throws {
        let bench = try Workbench(Format(.zst, .aes), by: tool, options: ["config-strict": "n", "bogus": "y", "repo1-bundle": "y"])
        chmod(bench.configuration, 0o644)
        for stanza in ["demo", nil] {
            let outcome = try bench.attempt("--output=json", "info", stanza: stanza)
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
            #expect(!outcome.output.isEmpty && !outcome.output.contains("\n"), "\(outcome)")
            #expect((try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8))) is [Any], "\(outcome)")
        }
        // Who asks for warnings gets them, and not in the middle of the JSON.
        let outcome = try bench.attempt("--output=json", "--log-level-console=warn", "info")
        #expect(outcome.errors.contains("bogus") && !outcome.output.contains("\n"), "\(outcome)")
    }

    /// On another host a program of the peer's name is more likely the peer, which cannot serve: the file that the link leads to is called.
    @Test func otherHosts() throws {
        let folder = try TemporaryFolder()
        let client = try folder.writeProgram("ssh", "#!/bin/sh\necho \"$@\" > \(folder.path("called"))\nexit 1\n")
        for (tool, more) in [(Tool.byPeersName, []), (.underTest, []), (.byPeersName, ["--repo1-host-cmd=\(Tool.byPeersName.path)"])] {
            let options = ["--no-config", "--stanza=s", "--repo1-host=h", "--cmd-ssh=\(client)"]
            _ = try attempt([tool.path] + options + more + ["info"])
            let called = try String(contentsOfFile: folder.path("called"), encoding: .utf8)
            #expect(called.contains(" \((more.isEmpty ? Tool.underTest : tool).path) serve"), "\(called)")
        }
    }

    /// A stanza that is not there is an answer, not an error; the lines are the peer's.
    @Test func missingStanza() throws {
        let bench = try Workbench(Format(.zst), by: .byPeersName)
        let text = try bench.attempt("info")
        #expect(text.status == 0 && text.output == "stanza: demo\n    status: error (missing stanza path)\n", "\(text)")
        let json = try bench.info()
        #expect(json.status.code == 1 && json.status.message == "missing stanza path")
        let none = try bench.attempt("info", stanza: nil)
        #expect(none.status == 0 && none.output == "No stanzas exist in the repository.\n", "\(none)")
        // A folder of the stanza without its info file is something else.
        try run(["mkdir", "-p", "\(bench.repository)/backup/demo"])
        let empty = try bench.attempt("info")
        #expect(empty.output == "stanza: demo\n    status: error (missing stanza data)\n    cipher: none\n", "\(empty)")
    }

    /// Of a backup that is not there nothing is told but that: neither the WAL nor other backups, which a script might take for its own.
    @Test(arguments: ["20200101-000000F", "bogus"])
    func missingBackup(_ label: String) throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        let text = try bench.attempt("--set=\(label)", "info", tool: .byPeersName)
        #expect(
            text.status == 0 && text.output == "stanza: demo\n    status: error (requested backup not found)\n    cipher: none\n", "\(text)"
        )
        let json = try bench.attempt("--set=\(label)", "--output=json", "info", tool: .byPeersName)
        let fields = [#"[{"archive":[],"backup":[],"cipher":"none","db":[],"#, #""code":6,"message":"requested backup not found""#]
        #expect(json.status == 0 && fields.allSatisfy(json.output.contains), "\(json)")
        let progress = try bench.attempt("--set=\(label)", "--detail-level=progress", "info", tool: .byPeersName)
        #expect(progress.status == 31, "\(progress)")
    }

    /// Whoever knows the program by that name can call it by no other.
    @Test func hintsHaveTheName() throws {
        let bench = try GoldenTiny.unpack("tiny-none")
        for (tool, name) in [(Tool.byPeersName, "pgbackrest"), (.underTest, "pgbackstop")] {
            let restore = try bench.attempt("--set=20200101-000000F", "restore", tool: tool)
            #expect(restore.text.contains("'\(name) info' lists the backups"), "\(restore)")
        }
        #expect(try attempt([Tool.byPeersName.path, "help"]).output.contains("  pgbackrest [options] command"))
        #expect(try attempt([Tool.underTest.path, "help"]).output.contains("  pgbackstop [options] command"))
    }

    /// Every line of the log begins as the field's do, or is indented under one that does.
    @Test(arguments: ["start", "stop", "check", "restore"])
    func everyLineHasItsPrefix(_ command: String) throws {
        let bench = try Workbench(Format(.zst), by: .byPeersName)
        let outcome = try bench.attempt("--log-level-console=detail", command)
        let lines = outcome.output.split(separator: "\n")
        let first = #/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} P\d\d +(ERROR|WARN|INFO|DETAIL): /#
        #expect(lines.count >= 2, "\(outcome)")
        for line in lines { #expect(line.firstMatch(of: first) != nil || line.hasPrefix(String(repeating: " ", count: 36)), "\(line)") }
    }
}

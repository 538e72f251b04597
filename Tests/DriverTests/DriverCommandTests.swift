import EndToEndSupport
import Foundation
import Testing

/// `driver` and the options of drivers that are programs, as their users meet them.
@Suite(.servers) struct DriverCommandTests {
    @Test func list() throws {
        let bench = try Workbench(on: .program)
        let outcome = try bench.attempt("driver", "list", stanza: nil)
        #expect(outcome.status == 0, "\(outcome)")
        for text in [
            "storage:\n", "  folder (not of pgbackstop)\n", "  posix\n", "  zst (files end in .zst)\n", "  aes-256-cbc\n", "  sha1\n",
        ] {
            #expect(outcome.output.contains(text), "\(text)\n\(outcome)")
        }
    }

    /// An allow-list that somebody names is read, or that is an error.
    @Test func shortenedOption() throws {
        let bench = try Workbench()
        let plugins = try bench.folder.write("plugins.conf", "[storage]\nposix = builtin\n")
        let full = try bench.attempt("--plugins=\(plugins)", "driver", "list", stanza: nil)
        #expect(full.status == 0 && !full.output.contains("s3"), "\(full)")
        let short = try bench.attempt("--plug=\(plugins)", "driver", "list", stanza: nil)
        #expect(short.status == 31 && short.text.contains("'\(plugins)' was not read"), "\(short)")
    }

    /// A plugins.conf that cannot be used is told, but help and the version are there without it.
    @Test func brokenFile() throws {
        let bench = try Workbench()
        let plugins = try bench.folder.write("plugins.conf", "[storage]\nposix = bultin\n")
        for words in [["info"], ["--repo1-tape-library=1", "info"]] {
            let outcome = try bench.attempt(["--plugins=\(plugins)"] + words)
            #expect(outcome.status == 27 && outcome.text.contains("plugins.conf line 2"), "\(outcome)")
        }
        for words in [["version"], ["help"]] {
            let outcome = try attempt([Tool.underTest.path] + words, environment: ["PGBACKSTOP_PLUGINS": plugins])
            #expect(outcome.status == 0 && outcome.text.contains("pgBackstop"), "\(outcome)")
        }
    }

    @Test func options() throws {
        let bench = try Workbench(on: .program)
        let own = try bench.attempt("driver", "options", "folder", stanza: nil)
        #expect(own.status == 0 && own.output == "repoN-folder-root  folder that holds the objects (path, required)\n", "\(own)")
        let built = try bench.attempt("driver", "options", "s3", stanza: nil)
        #expect(built.output.contains("repoN-s3-bucket") && built.output.contains("(secret)"), "\(built)")
    }

    @Test(arguments: [
        (["driver"], 43, "ACTION"), (["driver", "bake"], 96, "unknown action 'bake'"),
        (["driver", "check"], 43, "needs the name of a driver"),
        (["driver", "check", "tape"], 32, "driver 'tape' (repo1-type) is not in "),
        (["driver", "options", "disc"], 67, "no storage driver 'disc'"),
    ])
    func mistakes(_ words: [String], _ status: Int32, _ text: String) throws {
        let bench = try Workbench()
        let outcome = try bench.attempt(words, stanza: nil)
        #expect(outcome.status == status && outcome.text.contains(text), "\(outcome)")
    }

    @Test(arguments: [
        (["repo1-folder-rot": "/x"], [] as [String], 31, "did you mean 'repo1-folder-root'?"),
        (["repo1-folder-root": "relative"], [], 32, "a path begins with /"),
        ([:], ["repo1-folder-root"], 37, "requires option 'repo1-folder-root'"),
        (["repo1-foldr-root": "/x"], [], 31, "unknown option 'repo1-foldr-root'"),
        (["repo1-type": "tape", "repo1-tape-x": "/x"], ["repo1-folder-root"], 32, "driver 'tape' (repo1-type) is not in "),
    ])
    func wrongOptions(_ changes: [String: String], _ missing: [String], _ status: Int32, _ text: String) throws {
        let bench = try Workbench(on: .program.with(changes, without: missing))
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        defer { withExtendedLifetime(cluster) {} }
        let check = try bench.attempt("--no-online", "stanza-create")
        #expect(check.status == status && check.text.contains(text), "\(check)")
    }

    /// Secrets of a driver are for its standard input only.
    @Test func secrets() throws {
        let bench = try Workbench(Format(.none), on: .program, options: ["log-level-console": "debug", "log-level-file": "debug"])
        let driver = bench.folder.path("folder-driver")
        try run([
            "sed", "-i",
            #"s/"summary": "folder that holds the objects"}/&, {"name": "pin", "secret": True, "required": True, "summary": "the pin"}/"#,
            driver,
        ])
        let cluster = try Cluster.make(.version(15), in: bench.folder, name: "data")
        defer { withExtendedLifetime(cluster) {} }
        let missing = try bench.attempt("--no-online", "stanza-create")
        #expect(missing.status == 37 && missing.text.contains("repo1-folder-pin"), "\(missing)")
        let shown = try bench.attempt("--repo1-folder-pin=sesame", "--no-online", "stanza-create")
        #expect(shown.status == 31 && shown.text.contains("secret") && !shown.text.contains("sesame"), "\(shown)")
        try bench.configure(["repo1-folder-pin": "sesame"])
        let good = try bench.attempt("--no-online", "stanza-create")
        #expect(good.status == 0 && !good.text.contains("sesame"), "\(good)")
        // What is no secret is shown.
        #expect(
            good.text.contains("--repo1-folder-pin=<redacted>")
                && good.text.contains("--repo1-folder-root=\(bench.folder.path("repository"))"), "\(good)")
        let log = try run(["sh", "-c", "cat \"$0\"/*", bench.folder.path("log")]).output
        #expect(!log.contains("sesame"))
        #expect(try bench.attempt("driver", "options", "folder", stanza: nil).output.contains("the pin (string, required, secret)"))
    }

    @Test func check() throws {
        let bench = try Workbench(on: .program)
        let good = try EndToEndSupport.attempt(bench.command(["driver", "check", "folder"], stanza: nil), within: 300)
        #expect(good.status == 0 && good.output.contains("driver 'folder' keeps the contract"), "\(good)")
        // What no check can see is said.
        #expect(good.output.contains("fsync") && good.output.contains("does not give back"), "\(good)")
        #expect(!good.output.contains("FAIL") && good.output.contains(" ... ok\n"), "\(good)")
        #expect(try bench.files.list(".").isEmpty)
        // One that writes in place is found out.
        let saboteur = try Drivers.copy("Tests/tools/saboteur-driver", into: bench.folder)
        try bench.folder.write(
            "plugins.conf", Drivers.plugins("folder = exec \(saboteur) \"writes in place\" \(bench.folder.path("folder-driver"))"))
        let bad = try EndToEndSupport.attempt(bench.command(["driver", "check", "folder"], stanza: nil), within: 300)
        #expect(bad.status == 104 && bad.output.contains(" ... FAIL\n") && bad.text.contains("docs/driver-protocol.md"), "\(bad)")
    }

    /// A driver that hangs is named by the check that runs, ended, and after a few times not waited for any more.
    @Test func hangingDriver() throws {
        let bench = try Workbench(on: .program)
        let saboteur = try Drivers.copy("Tests/tools/saboteur-driver", into: bench.folder)
        try bench.folder.write(
            "plugins.conf",
            Drivers.plugins("folder = exec \(saboteur) \"hangs at the hundredth request\" \(bench.folder.path("folder-driver"))"))
        let outcome = try EndToEndSupport.attempt(
            bench.command(["--protocol-timeout=3s", "driver", "check", "folder"], stanza: nil), within: 300)
        #expect(outcome.status == 104, "\(outcome)")
        #expect(outcome.output.contains(" ... FAIL\n") && outcome.output.contains("does not answer within"), "\(outcome)")
        #expect(outcome.text.contains("the others were not run"), "\(outcome)")
    }

    /// Listing drivers harms nobody, whoever does it.
    @Test func asRoot() throws {
        let outcome = try attempt([Tool.underTest.path, "driver", "list"], asRoot: Account.isRoot)
        #expect(outcome.status == 0 && outcome.output.contains("storage:\n"), "\(outcome)")
    }

    /// docs/first-driver.md does what it says, from the program to the restored cluster; only the places are others.
    @Test func tutorial() throws {
        let folder = try TemporaryFolder()
        let driver = try Tutorial.driver(folder)
        let settings = try Tutorial.blocks("ini")
        let commands = try Tutorial.blocks("sh").map { $0.split(separator: "\n").map(String.init) }
        try #require(settings.count == 3 && commands.map(\.count) == [2, 3, 1])
        for name in ["log", "lock", "spool"] { try folder.makeDirectory(name) }
        let data = folder.path("data")
        func here(_ text: String) -> String {
            var text = text
            for (there, place) in [
                ("/usr/local/bin/sqlite-driver", driver), ("/var/tmp/check.db", folder.path("check.db")),
                ("/srv/backups.db", folder.path("backups.db")), ("/var/lib/postgresql/15/main", data),
                ("pgbackstop driver", "\(Tool.underTest.path) --plugins=\(folder.path("plugins.conf")) driver"),
                (
                    "pgbackstop --stanza",
                    "\(Tool.underTest.path) --plugins=\(folder.path("plugins.conf")) --config=\(folder.path("pgbackstop.conf")) --stanza"
                ),
            ] {
                text = text.replacing(there, with: place)
            }
            return text
        }
        try folder.write("plugins.conf", here(settings[0]))
        let options = try run(["sh", "-c", here(commands[0][0])]).output
        #expect(options.contains("repoN-sqlite-file") && options.contains("the SQLite file"))
        let report = try run(["sh", "-c", here(commands[0][1])], within: 300).output
        #expect(report.contains("keeps the contract"), "\(report)")

        // What a packaged installation has by default.
        let defaults = ["log", "lock", "spool"].map { "\($0)-path=\(folder.path($0))\n" }.joined()
        try folder.write(
            "pgbackstop.conf",
            here(settings[1]) + "pg1-socket-path=\(folder.path("s-data"))\npg1-user=postgres\n[global]\nstart-fast=y\n" + defaults)
        let cluster = try Cluster.make(.version(15), in: folder, name: "data")
        try run(["sh", "-c", "printf %s \"$0\" >>\"$1\"", here(settings[2]), "\(data)/postgresql.conf"])
        try cluster.start()
        try cluster.query("CREATE TABLE item AS SELECT n AS id FROM generate_series(1, 1000) n")
        var answer = ""
        for line in commands[1] { answer = try run(["sh", "-c", here(line)], in: folder.path, within: 120).output }
        #expect(answer.contains("full backup: "), "\(answer)")
        try cluster.stop()
        try run(["rm", "-rf", data])
        try run(["mkdir", "-m", "700", data])
        try run(["sh", "-c", here(commands[2][0])], in: folder.path, within: 120)
        try cluster.start(["archive_mode=off"])
        try cluster.waitForPromotion()
        #expect(try cluster.query("SELECT count(*) FROM item") == "1000")
        try cluster.stop()
    }
}

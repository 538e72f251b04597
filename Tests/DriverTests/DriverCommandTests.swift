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
        (["driver", "check", "tape"], 32, "'tape' is not allowed for option 'repo1-type'"),
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
        let log = try run(["sh", "-c", "cat \"$0\"/*", bench.folder.path("log")]).output
        #expect(!log.contains("sesame"))
        #expect(try bench.attempt("driver", "options", "folder", stanza: nil).output.contains("the pin (string, required, secret)"))
    }

    @Test func check() throws {
        let bench = try Workbench(on: .program)
        let good = try bench.attempt("driver", "check", "folder", stanza: nil)
        #expect(good.status == 0 && good.output.contains("driver 'folder' keeps the contract"), "\(good)")
        #expect(!good.output.contains("FAIL") && good.output.contains("\nok    "), "\(good)")
        #expect(try bench.files.list(".").isEmpty)
        // One that writes in place is found out.
        let saboteur = try Drivers.copy("Tests/tools/saboteur-driver", into: bench.folder)
        try bench.folder.write(
            "plugins.conf", Drivers.plugins("folder = exec \(saboteur) \"writes in place\" \(bench.folder.path("folder-driver"))"))
        let bad = try bench.attempt("driver", "check", "folder", stanza: nil)
        #expect(bad.status == 104 && bad.output.contains("\nFAIL  ") && bad.text.contains("docs/driver-protocol.md"), "\(bad)")
    }

    /// The commands of docs/first-driver.md do what it says.
    @Test func tutorial() throws {
        let folder = try TemporaryFolder()
        let driver = try Tutorial.driver(folder)
        func here(_ text: String) -> String {
            text.replacing("/usr/local/bin/sqlite-driver", with: driver).replacing(
                "/etc/pgbackstop/plugins.conf", with: folder.path("plugins.conf")
            )
            .replacing("/var/tmp/check.db", with: folder.path("check.db")).replacing("pgbackstop --", with: "\(Tool.underTest.path) --")
        }
        let settings = try Tutorial.blocks("ini")
        try #require(settings.count == 2)
        try folder.write("plugins.conf", here(settings[0]))
        let lines = try Tutorial.blocks("sh").joined().split(separator: "\n").map { here(String($0)) }
        try #require(lines.count == 2)
        let options = try run(["sh", "-c", lines[0]]).output
        #expect(options.contains("repoN-sqlite-file") && options.contains("the SQLite file"))
        let report = try run(["sh", "-c", lines[1]], within: 120).output
        #expect(report.contains("keeps the contract"), "\(report)")
    }
}

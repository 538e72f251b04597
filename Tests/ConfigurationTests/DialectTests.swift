// Under the name pgbackrest the program is that for whoever calls it: version, default folders, whose configuration is read.

import Testing

@testable import BackstopCommands
@testable import BackstopCore

@Suite struct DialectTests {
    @Test(arguments: [
        ("pgbackrest", Dialect.pgBackRest), ("/usr/bin/pgbackrest", .pgBackRest), ("./pgbackrest", .pgBackRest), ("pgbackstop", .own),
        ("/opt/pgbackrest/pgbackstop", .own), ("/opt/pgbackrest.old", .own), ("", .own),
    ])
    func theNameDecides(_ program: String, _ dialect: Dialect) { #expect(Dialect(program: program) == dialect) }

    /// A monitoring plugin compares the text and dies when `version --config` is refused; an exporter parses the number.
    @Test(arguments: [
        ("version", "pgBackRest 2.60.0\n"), ("--version", "pgBackRest 2.60.0\n"), ("version --output=num", "2060000"),
        ("version --output num", "2060000"), ("version --config=/nowhere/x.conf", "pgBackRest 2.60.0\n"),
        ("--config=/nowhere/x.conf version", "pgBackRest 2.60.0\n"),
        ("version --verbose", "pgBackRest 2.60.0\nThis is pgBackstop \(Program.version), called by the name pgbackrest.\n"),
    ])
    func version(_ line: String, _ text: String) throws {
        let configuration = try load(line, as: "/usr/bin/pgbackrest", in: Files())
        #expect(versionText(configuration.options, configuration.dialect) == text)
    }

    @Test func ourOwnVersion() throws {
        let configuration = try load("version --verbose", in: Files())
        #expect(
            versionText(configuration.options, configuration.dialect)
                == "pgBackstop \(Program.version)\nUnder the name pgbackrest it answers as pgBackRest 2.60.0.\n")
    }

    /// What a reader of the log has to know is in its first line, by either name.
    @Test func theLogTellsTheTruth() throws {
        #expect(try load(backup, in: Files()).versionOfLog == Program.version)
        #expect(try load(backup, as: "pgbackrest", in: Files()).versionOfLog == "2.60.0 (pgBackstop \(Program.version))")
        #expect(try Help.page(try load("help", as: "pgbackrest", in: Files()), table).contains("pgBackstop \(Program.version)"))
    }

    private func folders(_ configuration: Configuration) -> [String?] {
        [
            configuration.options.string("log-path"), configuration.options.string("spool-path"),
            configuration.options.string("lock-path"), configuration.options.string("repo-path", 1),
        ]
    }
    private let peers = ["/var/log/pgbackrest", "/var/spool/pgbackrest", "/tmp/pgbackrest", "/var/lib/pgbackrest"]
    private let ours = ["/var/log/pgbackstop", "/var/spool/pgbackstop", "/tmp/pgbackrest", "/var/lib/pgbackstop"]

    /// The folders belong to the configuration: `pgbackrest archive-push` and `pgbackstop backup` with one file mean one repository.
    @Test(arguments: ["pgbackrest", "pgbackstop"])
    func defaultFolders(_ program: String) throws {
        let push = "--stanza=s archive-push x"
        let byName = program == "pgbackrest" ? peers : ours
        #expect(folders(try load(push, as: program, in: Files())) == byName)
        for (path, expected) in [
            ("peers/pgbackrest.conf", peers), ("peers/conf.d/a.conf", peers), ("old.conf", peers), ("ours/pgbackstop.conf", ours),
            ("ours/conf.d/a.conf", ours),
        ] {
            let files = Files([path: "[global]\nprocess-max=2\n"])
            #expect(folders(try load(push, as: program, in: files)) == expected, "\(program) with \(path)")
        }
        for (path, expected) in [("other/pgbackrest.conf", peers), ("other/pgbackstop.conf", ours), ("other/x.conf", byName)] {
            let files = Files([path: "[global]\nprocess-max=2\n"])
            #expect(
                folders(try load("--config=\(files.root)/\(path) \(push)", as: program, in: files)) == expected, "\(program) with \(path)")
        }
    }

    @Test func helpShowsTheDefaultsThatHold() throws {
        #expect(try Help.page(try load("help backup log-path", as: "pgbackrest", in: Files()), table).contains("/var/log/pgbackrest"))
        #expect(try Help.page(try load("help backup log-path", in: Files()), table).contains("/var/log/pgbackstop"))
    }

    /// Under the peer's name it is the peer's configuration; where only one of both is there, it is that one.
    @Test func whichConfiguration() throws {
        let both = ["ours/pgbackstop.conf": "[global]\nprocess-max=2\n", "peers/pgbackrest.conf": "[global]\nprocess-max=3\n"]
        for (program, files, number, words) in [
            ("pgbackrest", both, 3, "read from 'R/peers/pgbackrest.conf', not from 'R/ours/pgbackstop.conf', which is there as well"),
            ("pgbackstop", both, 2, "read from 'R/ours/pgbackstop.conf', not from 'R/peers/pgbackrest.conf', which is there as well"),
            ("pgbackrest", ["ours/pgbackstop.conf": both["ours/pgbackstop.conf"]!], 2, "because 'R/peers/pgbackrest.conf' is missing"),
            ("pgbackstop", ["old.conf": both["peers/pgbackrest.conf"]!], 3, "because 'R/ours/pgbackstop.conf' is missing"),
            ("pgbackrest", ["old.conf": both["peers/pgbackrest.conf"]!], 3, nil),
            ("pgbackstop", ["ours/conf.d/a.conf": both["ours/pgbackstop.conf"]!], 2, nil),
        ] as [(String, [String: String], Int, String?)] {
            let files = Files(files)
            let configuration = try load(backup, as: program, in: files)
            #expect(configuration.options.number("process-max") == number)
            let notes = configuration.notes.map { $0.replacing(files.root, with: "R") }
            #expect(words == nil ? notes.isEmpty : notes.count == 1 && notes[0].contains(words!), "\(program): \(notes)")
        }
    }

    /// A skeleton that a package left must not hide the stanza that is configured in the other program's file without a word.
    @Test func theStanzaThatIsNotRead() throws {
        let files = Files(["ours/pgbackstop.conf": "[global]\nprocess-max=2\n", "peers/pgbackrest.conf": "[s]\npg1-path=/pg\n"])
        let warnings = try load("--stanza=s info", in: files).warnings
        #expect(
            warnings.count == 1 && warnings[0].contains("stanza 's' has no section in '\(files.root)/ours/pgbackstop.conf'"), "\(warnings)")
        #expect(try load("--stanza=s info", as: "pgbackrest", in: files).warnings == [])
        #expect(try load("--stanza=t info", in: files).warnings == [])
        files.write("ours/pgbackstop.conf", Array("[s:backup]\nprocess-max=2\n".utf8))
        #expect(try load("--stanza=s info", in: files).warnings == [])
        // What is wrong with the file that is not read is nobody's error.
        files.write("peers/pgbackrest.conf", Array("rubbish\n".utf8))
        #expect(try load("--stanza=t info", in: files).warnings == [])
    }

    @Test func configPathHasEither() throws {
        let files = Files(["other/pgbackrest.conf": "[global]\nprocess-max=3\n", "other/pgbackstop.conf": "[global]\nprocess-max=2\n"])
        let line = "--config-path=\(files.root)/other " + backup
        #expect(try load(line, as: "pgbackrest", in: files).options.number("process-max") == 3)
        #expect(try load(line, in: files).options.number("process-max") == 2)
    }

    /// In the environment likewise.
    @Test func whichVariable() throws {
        let environment = ["PGBACKREST_PROCESS_MAX": "3", "PGBACKSTOP_PROCESS_MAX": "2"]
        #expect(try load(backup, as: "pgbackrest", in: Files(), environment: environment).options.number("process-max") == 3)
        #expect(try load(backup, in: Files(), environment: environment).options.number("process-max") == 2)
        #expect(try load(backup, as: "pgbackrest", in: Files(), environment: ["PGBACKREST_PROCESS_MAX": "3"]).notes == [])
    }

    /// Of what the peer takes without a word, the log file alone tells.
    @Test(arguments: [backup, "--stanza=s info", "--stanza=s archive-push x", "--stanza=s --pg1-path=/pg archive-get x y"])
    func noWarningThatThePeerHasNot(_ line: String) throws {
        let files = Files([
            "peers/pgbackrest.conf": "[global]\nrepo1-path=/r # disk\nrepo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=hush\n"
        ])
        files.setModes(folders: 0o755, "peers/pgbackrest.conf", 0o644)
        let peers = try load(line, as: "pgbackrest", in: files)
        #expect(peers.warnings == [], "\(line)")
        #expect(peers.notes.count == 2 && !peers.notes.contains { $0.contains("hush") }, "\(line): \(peers.notes)")
        // What is said for each segment is no warning by either name.
        #expect(try load(line, in: files).warnings.count == (line.contains("archive-") ? 0 : 2), "\(line)")
    }

    @Test func archivingIsSilent() throws {
        let files = Files(["peers/pgbackrest.conf": "[global]\narchive-async=y\n"])
        #expect(try load("--stanza=s archive-push x", as: "pgbackrest", in: files).warnings == [])
        #expect(try load("--stanza=s archive-push x", in: files).warnings.count == 1)
    }

    /// Old names are silent by the peer's name as long as the peer is.
    @Test func oldNames() throws {
        let files = Files(["peers/pgbackrest.conf": "[global]\ncompress=n\n"])
        #expect(try load(backup, as: "pgbackrest", in: files).warnings == [])
        #expect(try load(backup, as: "pgbackrest", in: files).options.string("compress-type") == "none")
        #expect(try load(backup, in: files).warnings.count == 1)
    }

    /// Drivers are ours by any name.
    @Test(arguments: ["pgbackrest", "pgbackstop"])
    func pluginsAreOurs(_ program: String) throws {
        let path = try load(backup, as: program, in: Files(["peers/pgbackrest.conf": "[global]\n"])).options.string("plugins")
        #expect(path == "/etc/pgbackstop/plugins.conf")
    }

    /// By the peer's name any file is read as the peer reads it.
    @Test func unknownNamesAreWarnedOf() throws {
        let files = Files(["other/x.conf": "[global]\nbogus=y\n"])
        let warnings = try load("--config=\(files.root)/other/x.conf info", as: "pgbackrest", in: files).warnings
        #expect(warnings.count == 1 && warnings[0].contains("bogus"))
    }
}

// Configuration files (cli.md section 1.6): syntax, where they are looked for, what in them is refused or ignored.

@testable import BackstopCore
import Testing

@Suite struct FileTests {
    @Test(arguments: [
        ("log-path=/x\n", 29, "line 1: 'log-path' is not in a section"),
        ("# fine\n\n[global]\nlog-path\n", 29, "line 4: the line that begins with 'log-path' is not KEY=VALUE"),
        ("[global]\n; no comment\n", 29, "line 2: the line that begins with ';' is not KEY=VALUE\nHINT: comments begin with #."),
        ("[]\n", 29, "line 1: [] has no name"),
        ("[global\n", 29, "line 1: '[global' has no ]"),
        ("[global] x\n", 29, "line 1: '[global] x' has no ]"),
        ("[global]\n=x\n", 29, "line 2: there is no key"),
        ("[global]\nlog-path=\n", 32, "line 2: option 'log-path' in section [global] has an empty value"),
        ("[global]\nlog-path=/a\nlog-path=/b\n", 31, "line 3: option 'log-path' in section [global] is set more than once"),
        ("[global]\nlog-path=/a\n[s]\n[global]\nlog-path=/b\n", 31, "line 5"),
        ("[global]\nrepo-path=/a\nrepo1-path=/b\n", 31, "line 3: option 'repo1-path' in section [global] is the same as 'repo-path' there"),
        ("[global]\nrepo-bundle=y\n", 31, "line 2: option 'repo-bundle' needs an index\nHINT: put the index in, for example repo1-bundle."),
        ("[global]\nrepo257-path=/a\n", 31, "line 2: the index of option 'repo257-path' is not within 1..256"),
        ("[global]\nlog-timestamp=true\n", 32, "'true' is not allowed for option 'log-timestamp'\nHINT: a boolean is exactly y or n."),
        ("[global]\nbogus=y\n", 31, "line 2: unknown option 'bogus' in section [global]\nHINT: set config-strict=n"),
        ("[global]\nrepo1-retention-ful=2\n", 31, "did you mean 'repo1-retention-full'?"),
        ("[s:backup]\nproces-max=2\n", 31, "unknown option 'proces-max' in section [s:backup]\nHINT: did you mean 'process-max'?"),
        ("[global]\nno-compress=y\n", 31, "no- and reset- are for the command line only"),
        ("[global]\nreset-log-path=y\n", 31, "no- and reset- are for the command line only"),
    ])
    func refused(_ file: String, _ status: Int, _ text: String) throws {
        let error = try #require(failure(backup, file: file), "\(file)")
        #expect(Int(error.code.exitStatus) == status, "\(file): \(error)")
        #expect("\(error)".contains(text), "\(file): \(error)")
    }

    @Test func blanksCommentsAndLineEnds() throws {
        let configuration = try load(
            backup, file: "# c\r\n\r\n [global] \r\n  process-max =  3 \r\n\t# process-max=4\r\nlog-path=/a # no comment\r\nexclude=a=b\r\n"
        )
        #expect(configuration.options.number("process-max") == 3)
        #expect(configuration.options.string("log-path") == "/a # no comment")
        #expect(configuration.options.list("exclude") == ["a=b"])
    }

    @Test func bytesThatAreNotText() throws {
        let files = Files()
        let latin1: [UInt8] = [0x2F, 0xE4]
        files.write("ours/pgbackstop.conf", Array("#".utf8) + latin1 + Array("\n[global]\nexclude=a".utf8) + latin1)
        #expect(try load(backup, in: files).options.list("exclude").map(FileName.bytes) == [[0x61] + latin1])

        files.write("ours/pgbackstop.conf", Array("[global]\nlog-path=".utf8) + latin1)
        do {
            _ = try load("info", in: files)
            Issue.record("accepted")
        } catch { #expect(error.code == .optionInvalidValue && error.message.contains("'log-path' is not UTF-8"), "\(error)") }
    }

    @Test(arguments: [
        ("[global]\nstanza=s\n", "'stanza' in section [global] is ignored: it belongs on the command line"),
        ("[s]\nforce=y\n", "'force' in section [s] is ignored: it belongs on the command line"),
        ("[global]\npg1-path=/x\n", "'pg1-path' in section [global] is ignored: it belongs in the section of a stanza"),
        ("[global:backup]\npg1-port=1\n", "'pg1-port' in section [global:backup] is ignored: it belongs in the section of a stanza"),
        ("[global:backup]\narchive-async=y\n", "'archive-async' in section [global:backup] is ignored: 'backup' does not have it"),
        ("[s:backup]\nlink-all=y\n", "'link-all' in section [s:backup] is ignored: 'backup' does not have it"),
        ("[global:bakcup]\nprocess-max=2\n", "there is no command 'bakcup'\nHINT: did you mean 'backup'?"),
        ("[Global]\nlog-path=/a\n", "line 2: section [Global] is not read: it is not [global]"),
        ("[ s ]\npg1-path=/x\n[s]\npg1-path=/x\n", "line 2: section [ s ] is not read: it is not [s]"),
        ("[global]\nconfig-strict=n\nbogus=y\n", "unknown option 'bogus' in section [global]"),
        ("[s]\nconfig-strict=n\nno-online=y\n", "unknown option 'no-online' in section [s]"),
    ])
    func warned(_ file: String, _ text: String) throws {
        let configuration = try load(backup, file: file)
        #expect(configuration.warnings.count == 1 && configuration.warnings[0].contains(text), "\(configuration.warnings)")
    }

    /// For every segment it would be said again, and callers of the peer expect silence: another stanza may have such a name.
    @Test func sectionsThatAreNearSilently() throws {
        let file = "[S]\npg1-path=/other\n[s]\npg1-path=/x\n"
        #expect(try load(backup, file: file).warnings.count == 1)
        let push = try load("--stanza=s archive-push x", file: file)
        #expect(push.warnings.isEmpty && push.notes.contains { $0.contains("section [S] is not read") }, "\(push.warnings) \(push.notes)")
    }

    /// What the section of the stanza lacks may be near.
    @Test(arguments: [
        ("[global]\npg1-path=/pg\n", "line 2: option 'pg1-path' in section [global] is ignored: it belongs in the section of a stanza"),
        ("[ s ]\npg1-path=/pg\n", "line 2: section [ s ] is not read: it is not [s]"),
    ])
    func missing(_ file: String, _ hint: String) throws {
        do {
            _ = try load("--stanza=s backup", file: file)
            Issue.record("accepted")
        } catch { #expect(error.code == .optionRequired && error.hint?.contains(hint) == true, "\(error)") }
    }

    @Test func strictness() throws {
        let file = "[global]\nbogus=y\n"
        #expect(status("info", file: file) == 31)
        #expect(try load("info --no-config-strict", file: file).warnings.count == 1)
        #expect(try load("info --config-strict=n", file: file).warnings.count == 1)
        #expect(try load("info", file: file, environment: ["PGBACKSTOP_CONFIG_STRICT": "n"]).warnings.count == 1)
        #expect(status("info --config-strict", file: file + "config-strict=n\n") == 31)
        #expect(status("info", file: file + "config-strict=x\n") == 31)
        // What other stanzas and commands read is their own business.
        #expect(try load("info --stanza=s", file: "[t]\nbogus=y\n[global:backup]\nbogus=y\n[s:backup]\nbogus=y\n").warnings.isEmpty)
    }

    /// One file serves all commands, so what a command does not use is not even looked at.
    @Test func whatTheCommandDoesNotUseIsIgnored() throws {
        let file = """
            [global]
            process-max=none
            archive-async=y
            repo1-bundle=y
            repo1-s3-bucket=b
            start-fast=
            compress-level=100
            [s]
            pg1-path=relative
            pg1-host=h

            """
        let configuration = try load("--stanza=s info", file: file)
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.given.map(\.shown) == ["stanza"])
    }

    @Test func whatDoesNotApplyIsIgnored() throws {
        let configuration = try load(
            backup,
            file:
                "[global]\ncompress-type=none\ncompress-level=3\nrepo1-s3-key=x\nrepo1-cipher-pass=x\ntcp-keep-alive-idle=5\nsck-keep-alive=n\n"
        )
        #expect(configuration.options.number("compress-level") == 0)
        #expect(configuration.options.string("repo-s3-key", 1) == nil)
        #expect(configuration.options.string("repo-cipher-pass", 1) == nil)
        #expect(configuration.options.number("tcp-keep-alive-idle") == nil)
    }

    // MARK: Where the files are

    private func logPath(_ line: String, _ files: Files, environment: [String: String] = [:]) throws(BackupError) -> String? {
        try load(line, in: files, environment: environment).options.string("log-path")
    }

    private func text(_ path: String) -> String { "[global]\nlog-path=\(path)\n" }

    @Test func filesAreJoinedInOrder() throws {
        let files = Files([
            "ours/pgbackstop.conf": "[global]\nexclude=main\n", "ours/conf.d/b.conf": "[global]\nexclude=b\n",
            "ours/conf.d/a.conf": "[global]\nexclude=a\n", "ours/conf.d/c.conf.old": "[global]\nexclude=c\n",
        ])
        #expect(try load(backup, in: files).options.list("exclude") == ["main", "a", "b"])
        #expect(try load(backup + " --no-config", in: files).options.list("exclude") == [])
        #expect(
            try load(backup + " --no-config --config-include-path=\(files.root)/ours/conf.d", in: files).options.list("exclude") == [
                "a", "b",
            ])
        #expect(try load(backup + " --config=\(files.root)/ours/pgbackstop.conf", in: files).options.list("exclude") == ["main"])
        #expect(
            try load(backup + " --config=\(files.root)/ours/pgbackstop.conf --config-path=\(files.root)/ours", in: files).options.list(
                "exclude")
                == ["main", "a", "b"])
    }

    @Test func errorsNameTheirOwnFile() throws {
        let files = Files(["ours/pgbackstop.conf": "[global]\n\n\n", "ours/conf.d/a.conf": "[global]\nbogus=1\n"])
        do {
            _ = try load("info", in: files)
            Issue.record("accepted")
        } catch { #expect(error.message.hasPrefix("\(files.root)/ours/conf.d/a.conf line 2:")) }
    }

    @Test func missingFiles() throws {
        let files = Files()
        #expect(try logPath("info", files) == "/var/log/pgbackstop")
        #expect(status("info --config=/nowhere/x.conf") == 55)
        #expect(status("info --config-include-path=/nowhere") == 73)
        #expect(status("info --config-path=/nowhere") == 0)
        #expect(status("info --config-path=relative") == 32)
        #expect(status("info --config=/tmp") == 42)
        #expect(status("info", environment: ["PGBACKSTOP_CONFIG": "/nowhere/x.conf"]) == 55)
        #expect(status("info --no-config", environment: ["PGBACKSTOP_CONFIG": "/nowhere/x.conf"]) == 0)
    }

    @Test func configPathMovesBoth() throws {
        let files = Files([
            "other/pgbackstop.conf": text("/main"), "ours/pgbackstop.conf": text("/ours"), "other/conf.d/a.conf": "[s]\nlog-path=/a\n",
        ])
        #expect(try logPath("info --config-path=\(files.root)/other", files) == "/main")
        #expect(try logPath("info --config-path=\(files.root)/other --stanza=s", files) == "/a")
        #expect(try logPath("info", files, environment: ["PGBACKSTOP_CONFIG_PATH": files.root + "/other"]) == "/main")
        let peers = Files(["other/pgbackrest.conf": text("/peers")])
        let configuration = try load("info --config-path=\(peers.root)/other", in: peers)
        #expect(configuration.options.string("log-path") == "/peers")
        #expect(configuration.notes.count == 1)
    }

    @Test func thePeersFilesStandIn() throws {
        let old = Files(["old.conf": text("/old")])
        #expect(try logPath("info", old) == "/old")
        let files = Files(["old.conf": text("/old"), "peers/pgbackrest.conf": text("/peers"), "peers/conf.d/a.conf": "[s]\nlog-path=/a\n"])
        let configuration = try load("info", in: files)
        #expect(configuration.options.string("log-path") == "/peers")
        #expect(
            configuration.notes[0]
                == "configuration read from '\(files.root)/peers/pgbackrest.conf', because '\(files.root)/ours/pgbackstop.conf' is missing")
        #expect(try logPath("info --stanza=s", files) == "/a")
        #expect(try logPath("info --no-config", files) == "/var/log/pgbackstop")
        // As soon as there is anything of ours nothing of the peer's is read.
        files.write("ours/conf.d/x.conf", Array("[global]\nprocess-max=2\n".utf8))
        #expect(try logPath("info", files) == "/var/log/pgbackstop")
        #expect(
            try load("info", in: files).notes == [
                "configuration read from '\(files.root)/ours/conf.d/x.conf', not from '\(files.root)/peers/pgbackrest.conf', which is there as well"
            ])
    }

    /// Messages get into the logs of others: a line that cannot be read may hold a secret.
    @Test(arguments: ["repo1-cipher-pass : hush", "repo1-cipher-pass hush", "repo1-cipher-pass:hush"])
    func noSecretIsEchoed(_ line: String) throws {
        let error = try #require(failure("info", file: "[global]\n\(line)\n"))
        #expect(error.description.contains("repo1-cipher-pass") && error.description.contains("line 2"), "\(error)")
        #expect(!error.description.contains("hush"), "\(error)")
    }

    /// A comment behind a value is none, as in pgBackRest; a folder named `/r # disk` is nobody's intention.
    @Test(arguments: [("/r # disk", 1), ("/r\t#disk", 1), ("/r#disk", 0), ("/r", 0)])
    func commentsBehindValues(_ value: String, _ count: Int) throws {
        let configuration = try load("info", file: "[global]\nrepo1-path=\(value)\n")
        #expect(configuration.options.string("repo-path", 1) == value)
        #expect(configuration.warnings.count == count)
        #expect(configuration.warnings.allSatisfy { $0.contains("line 2: option 'repo1-path'") && !$0.contains("disk") })
    }

    /// Once for each file, and only where others can really read it.
    @Test(
        arguments: [
            (0o755, 0o644, 1), (0o755, 0o640, 0), (0o755, 0o604, 1), (0o750, 0o644, 0), (0o711, 0o644, 1),
        ] as [(UInt32, UInt32, Int)])
    func secretsThatOthersCanRead(_ folders: UInt32, _ mode: UInt32, _ count: Int) throws {
        let secrets = "repo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=hush\nrepo2-cipher-type=aes-256-cbc\nrepo2-cipher-pass=hush\n"
        let files = Files(["ours/pgbackstop.conf": "[global]\n\(secrets)repo2-path=/r2\n"])
        files.setModes(folders: folders, "ours/pgbackstop.conf", mode)
        let warnings = try load("info", in: files).warnings
        #expect(warnings.count == count, "\(warnings)")
        #expect(warnings.allSatisfy { $0.contains("pgbackstop.conf holds a secret, 'repo1-cipher-pass'") && !$0.contains("hush") })
        // Without a secret anybody may read it.
        files.write("ours/pgbackstop.conf", Array("[global]\nrepo1-path=/r\n".utf8))
        #expect(try load("info", in: files).warnings == [])
    }

    @Test func byteOrderMark() throws {
        let files = Files()
        files.write("ours/pgbackstop.conf", [0xEF, 0xBB, 0xBF] + Array("[global]\nrepo1-path=/r\n".utf8))
        #expect(try load("info", in: files).options.string("repo-path", 1) == "/r")
    }

    /// A typo in a file must not fill pg_wal or end a recovery; elsewhere it might mean to keep backups for ever.
    @Test func archivingOutlivesATypo() throws {
        let file = "[global]\nrepo1-retention-ful=2\n"
        for line in ["--stanza=s archive-push x", "--stanza=s --pg1-path=/pg archive-get x y"] {
            let warnings = try load(line, file: file).warnings
            #expect(warnings.contains { $0.contains("repo1-retention-ful") && $0.contains("did you mean 'repo1-retention-full'?") })
        }
        #expect(failure(backup, file: file)?.code == .optionInvalid)
    }

    /// pgBackRest warns of unknown names, so its users may have some.
    @Test(arguments: ["peers/pgbackrest.conf", "peers/conf.d/x.conf", "other/pgbackrest.conf"])
    func thePeersFilesAreNotStrict(_ path: String) throws {
        let files = Files([path: "[global]\nbogus=y\nrepo1-path=/r\n"])
        let other = path.hasPrefix("other") ? "--config=\(files.root)/\(path) " : ""
        let configuration = try load(other + "info", in: files)
        #expect(configuration.options.string("repo-path", 1) == "/r")
        #expect(configuration.warnings.filter { $0.contains("bogus") }.count == 1)
    }
}

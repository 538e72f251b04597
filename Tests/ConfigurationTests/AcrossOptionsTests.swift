// Indexes, old names, checks across options and what is not supported yet (cli.md sections 1.8 to 1.10).

@testable import BackstopCore
import Testing

@Suite struct AcrossOptionsTests {
    /// The same file on both hosts.
    @Test func thisHostAfterAll() throws {
        let file = "[global]\nrepo1-host=r\nrepo2-host=r2\n[s]\npg1-path=/pg\npg1-host=p\n"
        let options = try load("--stanza=s --repo1-local --pg1-local archive-push x", file: file).options
        #expect(options.string("repo-host", 1) == nil && options.string("pg-host", 1) == nil)
        #expect(options.string("repo-host", 2) == "r2")
    }

    // MARK: Indexes

    @Test func indexesMayHaveHoles() throws {
        let options = try load("info", file: "[global]\nrepo2-path=/b\nrepo256-path=/c\n").options
        #expect(options.indexes(.repo) == [2, 256])
        #expect(options.string("repo-type", 2) == "posix")
        #expect(try load("info").options.indexes(.repo) == [1])
        #expect(try load("info --reset-repo3-path").options.indexes(.repo) == [1])
    }

    @Test func theFirstClusterAlwaysExists() {
        #expect(failure("--stanza=s backup", file: "[s]\npg2-path=/x\n")?.message == "command 'backup' requires option 'pg1-path'")
        #expect(
            failure("--stanza=s backup", file: "[s]\npg1-path=/x\npg2-port=3\n")?.message == "command 'backup' requires option 'pg2-path'")
        #expect(status("--stanza=s archive-push x") == 0)
    }

    @Test func theChosenRepositoryHasToExist() throws {
        let file = "[global]\nrepo2-path=/b\n"
        let error = try #require(failure("info --repo=1", file: file))
        #expect(error.code == .optionInvalidValue)
        #expect(error.hint == "configured: repo2.")
        #expect(status("info --repo=2", file: file) == 0)
        #expect(status("info --repo=257") == 32)
    }

    // MARK: Old names

    @Test(arguments: [
        ("archive-queue-max=1GiB", "archive-push-queue-max", 0), ("repo-path=/a", "repo-path", 1), ("hardlink=y", "repo-hardlink", 1),
        ("retention-full=3", "repo-retention-full", 1), ("retention-diff=3", "repo-retention-diff", 1),
        ("retention-archive=3", "repo-retention-archive", 1), ("retention-archive-type=diff", "repo-retention-archive-type", 1),
        ("db-path=/a", "pg-path", 1), ("db1-path=/a", "pg-path", 1), ("db-port=1", "pg-port", 1),
        ("db-socket-path=/a", "pg-socket-path", 1),
        ("repo-type=cifs", "repo-type", 1), ("repo-cipher-type=none", "repo-cipher-type", 1),
    ])
    func oldNames(_ line: String, _ name: String, _ index: Int) throws {
        let command = name == "archive-push-queue-max" ? "--stanza=s archive-push x" : "--stanza=s backup"
        let pg = name == "pg-path" ? "" : "pg1-path=/pg\n"
        let configuration = try load(command, file: "[s]\n\(pg)\(line)\n")
        #expect(configuration.options.isGiven(name, index))
    }

    /// Names whose options are not supported still find them.
    @Test(arguments: [
        ("db-user", "pg1-host-user"), ("db3-user", "pg3-host-user"), ("db-host", "pg1-host"), ("db2-ssh-port", "pg2-host-port"),
        ("db-cmd", "pg1-host-cmd"), ("db-config", "pg1-host-config"), ("backup-host", "repo1-host"), ("backup-user", "repo1-host-user"),
        ("backup-cmd", "repo1-host-cmd"), ("backup-config", "repo1-host-config"), ("backup-ssh-port", "repo1-host-port"),
        ("repo-s3-host", "repo1-storage-host"), ("repo4-s3-host", "repo4-storage-host"), ("repo-s3-ca-file", "repo1-storage-ca-file"),
        ("repo2-s3-verify-ssl", "repo2-storage-verify-tls"), ("repo2-s3-verify-tls", "repo2-storage-verify-tls"),
        ("repo2-s3-port", "repo2-storage-port"), ("repo2-azure-host", "repo2-storage-host"),
        ("repo2-azure-ca-path", "repo2-storage-ca-path"),
        ("repo2-azure-verify-tls", "repo2-storage-verify-tls"), ("repo2-azure-port", "repo2-storage-port"),
        ("repo-s3-bucket", "repo1-s3-bucket"),
        ("repo-s3-key-secret", "repo1-s3-key-secret"), ("repo-cipher-pass", "repo1-cipher-pass"),
    ])
    func oldNamesInTheTable(_ old: String, _ new: String) throws {
        #expect(try table.match(old)?.shown == new)
    }

    @Test func oldSwitches() throws {
        let none = try load(backup + " --no-compress")
        #expect(none.options.string("compress-type") == "none")
        #expect(none.options.number("compress-level") == 0)
        #expect(none.warnings.count == 1 && none.warnings[0].contains("compress-type=none"))
        let both = try load(backup, file: "[global]\ncompress=n\ncompress-type=zst\n")
        #expect(both.options.string("compress-type") == "zst")
        #expect(try load(backup + " --compress").options.string("compress-type") == "gz")
        #expect(try load(backup + " --stop-auto").warnings.count == 1)
    }

    // MARK: Checks

    @Test func timeouts() throws {
        #expect(status(backup + " --protocol-timeout=10 --db-timeout=20") == 32)
        #expect(status(backup + " --protocol-timeout=10 --db-timeout=10") == 32)
        #expect(try load(backup + " --protocol-timeout=100").options.duration("db-timeout") == .seconds(70))
        #expect(try load(backup + " --protocol-timeout=10").options.duration("db-timeout") == .seconds(5))
        #expect(try load(backup + " --db-timeout=1h").options.duration("protocol-timeout") == .seconds(3630))
        #expect(try load(backup).options.duration("protocol-timeout") == .seconds(1860))
    }

    @Test func repositoriesDoNotShareAFolder() {
        #expect(status("info", file: "[global]\nrepo1-path=/a\nrepo3-path=/a/\n") == 32)
        #expect(status("info", file: "[global]\nrepo1-path=/a\nrepo3-path=/b\n") == 0)
        #expect(status("info", file: "[global]\nrepo2-path=/var/lib/pgbackstop\nrepo1-cipher-type=none\n") == 32)
    }

    @Test func retention() throws {
        func options(_ file: String) throws -> Options { try load("--stanza=s --pg1-path=/pg backup", file: "[global]\n" + file).options }
        #expect(try options("repo1-retention-full=3\n").number("repo-retention-archive", 1) == 3)
        #expect(try options("repo1-retention-full=3\nrepo1-retention-archive=1\n").number("repo-retention-archive", 1) == 1)
        #expect(try options("repo1-retention-full=3\nrepo1-retention-full-type=time\n").number("repo-retention-archive", 1) == nil)
        #expect(try options("repo1-retention-full=3\nrepo1-retention-archive-type=diff\n").number("repo-retention-archive", 1) == 3)
        #expect(
            try options("repo1-retention-full=3\nrepo1-retention-diff=5\nrepo1-retention-archive-type=diff\n").number(
                "repo-retention-archive", 1) == 5)
        let warnings = try load("--stanza=s --pg1-path=/pg backup", file: "[global]\nrepo2-path=/x\nrepo1-retention-full=1\n").warnings
        #expect(warnings.count == 1 && warnings[0].hasPrefix("option 'repo2-retention-full' is not set"))
        #expect(
            try load("--stanza=s --pg1-path=/pg backup", file: "[global]\nrepo1-retention-full=1\nrepo1-retention-archive-type=incr\n")
                .warnings.count == 1)
        #expect(try load("--stanza=s --pg1-path=/pg restore").warnings.isEmpty)
    }

    @Test func fallbacksOfDependentOptions() throws {
        let options = try load(backup + " --no-archive-check", file: "[global]\nrepo1-type=cifs\n").options
        #expect(options.optionalFlag("archive-mode-check") == false)
        #expect(options.optionalFlag("repo-symlink", 1) == false)
        #expect(options.optionalFlag("repo-block", 1) == false)
        #expect(try load(backup).options.number("compress-level") == 6)
        #expect(try load(backup + " --compress-type=zst").options.number("compress-level") == 3)
        #expect(try load(backup + " --compress-type=zst --compress-level=-7").options.number("compress-level") == -7)
    }

    @Test func encryptionNeedsAPassphrase() throws {
        let error = try #require(failure("info", file: "[global]\nrepo1-cipher-type=aes-256-cbc\n"))
        #expect(error.code == .optionRequired && error.message.contains("repo1-cipher-pass"))
    }

    /// Whatever the kind of check: the hash of a fingerprint is required, as in the peer.
    @Test func hostsOfSFTP() throws {
        let file = """
            [global]
            repo1-type=sftp
            repo1-sftp-host=h
            repo1-sftp-host-user=u
            repo1-sftp-private-key-file=/k

            """
        let hash = "repo1-sftp-host-key-hash-type=sha256\n", check = "repo1-sftp-host-key-check-type=fingerprint\n"
        #expect(failure("info", file: file + hash) == nil)
        for (lines, option) in [("", "repo1-sftp-host-key-hash-type"), (hash + check, "repo1-sftp-host-fingerprint")] {
            let error = try #require(failure("info", file: file + lines))
            #expect(error.code.exitStatus == 37 && error.message.contains(option), "\(error)")
        }
        #expect(failure("info", file: file + hash + check + "repo1-sftp-host-fingerprint=00\n") == nil)
        #expect(try load("info", file: file + hash).options.number("repo-sftp-host-port", 1) == 22)
    }

    @Test func namesOfStanzas() {
        for name in ["a/b", "-x", ".x", "a:b", "global", "a[b"] { #expect(status("info --stanza=\(name)") == 32, "\(name)") }
        for name in ["main", "a.b", "Stanza_1", "übung", "globe"] { #expect(status("info --stanza=\(name)") == 0, "\(name)") }
    }

    @Test func root() throws {
        #expect(throws: BackupError.self) { try load(backup).checkUser(0) }
        for line in [backup + " --allow-root", "--stanza=s --pg1-path=/pg restore", "help", "version"] { try load(line).checkUser(0) }
        try load(backup).checkUser(1000)
    }

    // MARK: Not supported yet

    @Test(arguments: [
        ("--stanza=s expire", "", "command 'expire'"), ("verify --stanza=s", "", "command 'verify'"), ("server", "", "command 'server'"),
        ("info", "[global]\nrepo1-type=azure\nrepo1-azure-container=b\n", "repo1-type=azure"),
        ("info", "[global]\nrepo1-host=h\nrepo1-host-type=tls\n", "repo1-host-type=tls"),
        ("--stanza=s archive-push x --archive-async", "", "archive-async=y"),
        (backup, "[s]\npg1-host=h\npg1-host-type=tls\n", "pg1-host-type=tls"),
        (backup + " --expire-auto", "", "expire-auto=y"),
    ])
    func unsupported(_ line: String, _ file: String, _ what: String) throws {
        let error = try #require(failure(line, file: file), "\(line)")
        #expect(error.code.exitStatus == 67)
        #expect(error.message == "not supported yet: \(what)")
        #expect(error.hint != nil)
    }

    @Test(arguments: [
        (
            backup,
            "[global]\narchive-async=y\nrepo1-bundle=y\ndelta=y\nrepo1-block=y\nrepo1-bundle-size=1MiB\nrepo1-block-size-super=1MiB\n"
        ),
        (backup + " --delta --repo1-bundle --repo1-bundle-limit=1MiB --repo1-block", ""),
        ("--stanza=s archive-push x", "[global]\narchive-async=n\nrepo1-bundle=y\n"),
        ("--stanza=s --pg1-path=/pg restore --delta", "[global]\nrepo1-bundle=y\nbackup-standby=y\n"), (backup + " --type=diff", ""),
        (backup + " --backup-standby=prefer", "[global]\nbackup-standby=y\n"),
        (backup + " --type=incr", ""), ("--stanza=s --pg1-path=/pg restore", "[global]\ndb-include=a\n"),
        (backup + " --resume --no-expire-auto", "[global]\nmanifest-save-threshold=2GiB\n"),
        ("--stanza=s --pg1-path=/pg archive-get x y", "[global]\narchive-missing-retry=y\narchive-get-queue-max=128MiB\n"),
        ("info", "[global]\nrepo1-type=cifs\nrepo1-s3-bucket=b\nrepo1-host-user=u\n"),
    ])
    func supported(_ line: String, _ file: String) {
        #expect(failure(line, file: file) == nil)
    }

    /// A configuration that is brought from pgBackRest archives and backs up from the first minute: what is not there yet is a warning, and the
    /// nearest thing is done.
    @Test(arguments: [
        ("--stanza=s archive-push x", "archive-async=y", "archive-async", OptionValue.flag(false)),
        (backup, "expire-auto=y", "expire-auto", .flag(false)), (backup, "beta=y", "beta", .flag(false)),
        ("--stanza=s archive-push x", "archive-push-batch-size=1GiB", "archive-push-batch-size", .number(16 << 30)),
        ("--stanza=s --pg1-path=/pg archive-get x y", "archive-get-queue-max=1GiB", "archive-get-queue-max", .number(128 << 20)),
        ("--stanza=s --pg1-path=/pg archive-get x y", "archive-missing-retry=n", "archive-missing-retry", .flag(true)),
    ])
    func nearest(_ line: String, _ setting: String, _ option: String, _ value: OptionValue) throws {
        let name = setting.prefix { $0 != "=" }
        let parts = setting.split(separator: "=")
        let variable = "PGBACKREST_" + name.uppercased().replacing("-", with: "_")
        for configuration in [
            try load(line, file: "[global]\n\(setting)\n"), try load(line, environment: [variable: String(parts[1])]),
        ] {
            #expect(configuration.options.value(option, 0) == value)
            let warnings = configuration.warnings.filter { $0.contains("not supported yet") }
            #expect(warnings.count == 1 && warnings[0].contains(name) && warnings[0].contains("is done instead"), "\(warnings)")
        }
    }

    // MARK: The log and other processes

    @Test func theLineOfTheLog() throws {
        let file = """
            [global]
            repo1-cipher-type=aes-256-cbc
            repo1-cipher-pass=hush
            exclude=a
            exclude=b c
            compress-level=3
            log-timestamp=n
            archive-async=y
            """
        let configuration = try load(backup + " --exec-id=1-2 --reset-process-max --no-backup-standby --annotation=k=v", file: file)
        #expect(
            configuration.commandLineText == """
                --annotation=k=v --no-backup-standby --compress-level=3 --exclude=a --exclude="b c" --exec-id=1-2 --no-log-timestamp \
                --pg1-path=/pg --reset-process-max --repo1-cipher-pass=<redacted> --repo1-cipher-type=aes-256-cbc \
                --repo1-retention-full=2 --stanza=s
                """)
        let push = try load("--stanza=s archive-push /pg/X")
        let run = try #require(push.options.string("exec-id"))
        #expect(push.commandLineText == "[/pg/X] --exec-id=\(run) --stanza=s")
    }

    /// Whatever the secret, whatever its source.
    @Test func noSecretIsShown() throws {
        var environment = [
            "PGBACKSTOP_REPO1_CIPHER_TYPE": "aes-256-cbc", "PGBACKREST_REPO2_CIPHER_TYPE": "aes-256-cbc", "PGBACKSTOP_REPO2_PATH": "/2",
        ]
        for option in table.options where option.isSecret {
            environment["PGBACKSTOP_" + option.fullName(1).uppercased().replacing("-", with: "_")] = "hush"
            environment["PGBACKREST_" + option.fullName(2).uppercased().replacing("-", with: "_")] = "hush"
        }
        let configuration = try load("--stanza=s --pg1-path=/pg restore", environment: environment)
        #expect(configuration.options.string("repo-cipher-pass", 2) == "hush")
        #expect(configuration.commandLineText.contains("--repo2-cipher-pass=<redacted>"))
        let shown =
            [configuration.commandLineText] + configuration.warnings + configuration.notes + configuration.arguments(for: "archive-get")
        #expect(!shown.contains { $0.contains("hush") })
    }

    @Test func argumentsForRestoreCommand() throws {
        let files = Files(["other/x.conf": "[s]\nprocess-max=3\npg1-path=/pg\nrepo2-path=/r\n"])
        let configuration = try load(
            "--stanza=s --config=\(files.root)/other/x.conf --delta --repo=2 --log-level-console=info restore", in: files,
            environment: ["PGBACKSTOP_REPO2_TYPE": "cifs", "PGBACKSTOP_REPO2_CIPHER_PASS": "hush"])
        #expect(
            configuration.arguments(for: "archive-get", leavingOut: ["log-level-console"]) == [
                "--config=\(files.root)/other/x.conf", "--repo=2", "--repo2-type=cifs", "--stanza=s",
            ])
    }

    @Test func logFile() throws {
        #expect(try load(backup).logFile == "/var/log/pgbackstop/s-backup.log")
        #expect(try load("stop").logFile == "/var/log/pgbackstop/all-stop.log")
        #expect(try load(backup + " --log-level-file=off").logFile == nil)
        #expect(try load("info").logFile == nil)
        let settings = try load("info --log-level-console=debug --log-level-stderr=warn --no-log-timestamp").logSettings
        #expect(settings.console == .debug && settings.standardError == .warn && settings.file == .info && !settings.timestamp)
    }
}

// The command line (cli.md section 1.5): forms of options, what is refused, with exit status and text.

@testable import BackstopCore
import Testing

@Suite struct CommandLineTests {
    @Test func formsOfOptions() throws {
        for line in [
            "--stanza=s --log-level-file=debug info", "info --stanza=s --log-level-file=debug", "info --stanza s --log-level-file debug",
            "--stanza s info --log-level-f debug", "info --stan=s --log-level-fi debug",
        ] {
            let configuration = try load(line)
            #expect(configuration.command.name == "info")
            #expect(configuration.stanza == "s")
            #expect(configuration.options.string("log-level-file") == "debug")
        }
        #expect(try load("info --priority -5").options.number("priority") == -5)
        #expect(try load("info --log-timestamp").options.flag("log-timestamp"))
        #expect(try load("info --log-timestamp=n").options.optionalFlag("log-timestamp") == false)
        #expect(try load("info --no-log-ti").options.optionalFlag("log-timestamp") == false)
        #expect(try load("info --repo1-pa=/x").options.string("repo-path", 1) == "/x")
        #expect(try load("info --repo-pa=/x").options.string("repo-path", 1) == "/x")
        #expect(try load(backup + " --exclude=a --exclude b --exclude=c=d").options.list("exclude") == ["a", "b", "c=d"])
        #expect(try load(backup + " --annotation=a=b --annotation=c=").options.map("annotation") == ["a": "b", "c": ""])
    }

    /// It was a boolean once: old command lines give it no value, and the word after it is the command.
    @Test(arguments: [
        ("check --backup-standby", "y"), ("--backup-standby check", "y"), ("--backup-standby y check", "y"),
        ("check --backup-standby=prefer", "prefer"), ("check --backup-standby prefer", "prefer"), ("check --backup-standby=n", "n"),
        ("check --no-backup-standby", "n"), ("--no-backup-standby check", "n"), ("check", "n"),
        ("--backup-standby --log-timestamp check", "y"),
    ])
    func backupStandby(_ line: String, _ value: String) throws {
        var table = table
        table = OptionTable(
            options: table.options.map {
                var option = $0
                option.unsupportedValues = []
                return option
            }, commands: table.commands)
        let configuration = try load("--stanza=s --pg1-path=/pg " + line, in: Files(), table)
        #expect(configuration.options.string("backup-standby") == value)
        #expect(configuration.command.name == "check")
    }

    /// As the peer: 'yes' is no value of it.
    @Test(arguments: [("--backup-standby=yes", 32), ("--backup-standby=", 32), ("--no-backup-standby", 0), ("--backup-standby", 0)])
    func backupStandbyIsStrict(_ option: String, _ expected: Int32) {
        #expect(status("\(backup) \(option)") == expected)
    }

    @Test func positionalArguments() throws {
        #expect(try load("--stanza=s archive-push /pg/pg_wal/X").positional == ["/pg/pg_wal/X"])
        #expect(try load("--stanza=s archive-get --pg1-path=/pg 000 --repo=1 /pg/x").positional == ["000", "/pg/x"])
        #expect(status("--stanza=s --pg1-path=/pg archive-push") == 43)
        #expect(status("--stanza=s --pg1-path=/pg archive-get 000") == 43)
        #expect(status("--stanza=s --pg1-path=/pg archive-get 000 /x y") == 96)
        #expect(status("info extra") == 96)
        #expect(status("version extra") == 96)
    }

    /// Each with its exit status and a piece of its text.
    @Test(arguments: [
        ("bogus", 48, "unknown command 'bogus'"),
        ("bakcup", 48, "did you mean 'backup'?"),
        ("--stanza=s", 30, "no command given"),
        ("info --bogus", 31, "unknown option '--bogus'"),
        ("info --stnza=s", 31, "did you mean '--stanza'?"),
        ("info --repo2-pth=/x", 31, "did you mean '--repo2-path'?"),
        ("info -x", 31, "options begin with --"), ("info -Vh", 31, "options begin with --"),
        ("info --", 31, "unknown option '--'"),
        ("info --=x", 31, "unknown option"),
        ("info --log=x", 31, "the beginning of several options"),
        ("info --output", 31, "needs a value"),
        ("info --stanza --output=json", 31, "'--stanza' needs a value"),
        ("info --online", 31, "'online' is not valid for command 'info'\nHINT: it belongs to: backup, stanza-create, stanza-upgrade."),
        ("info --process-max=3", 31, "not valid for command 'info'"),
        ("version --stanza=x", 31, "not valid for command 'version'"),
        ("info --stanza=s --stanza=t", 31, "'stanza' is set more than once"),
        ("info --log-timestamp --no-log-timestamp", 31, "both set and negated"),
        ("info --reset-log-path --log-path=/x", 31, "both reset and set"),
        ("info --no-log-timestamp --reset-log-timestamp", 31, "both negated and reset"),
        ("info --no-log-timestamp=y", 31, "takes no value"),
        ("info --reset-log-path=y", 31, "takes no value"),
        ("--stanza=s stop --no-force", 31, "'force' has no --no- form"),
        ("info --no-log-path", 31, "'log-path' has no --no- form"),
        ("info --reset-stanza", 31, "'stanza' has no --reset- form"),
        ("info --no-config --config=/x", 31, "both negated and set"),
        ("backup --repo-bundle=y", 31, "'repo-bundle' needs an index\nHINT: put the index in, for example repo1-bundle."),
        ("info --repo0-path=/x", 31, "not within 1..256"),
        ("info --repo257-path=/x", 31, "not within 1..256"),
        ("info --repo99999999999999999999-path=/x", 31, "not within 1..256"),
        ("info --repo1-cipher-pass=x", 31, "is a secret and not allowed on the command line"),
        ("info --repo1-s3-key-secret=x", 31, "is a secret"),
        ("info --log-timestamp=yes", 32, "'yes' is not allowed for option 'log-timestamp'"),
        ("info --stanza=", 32, "'stanza' has an empty value"),
        ("info --set=x", 31, "option 'set' is only valid with --stanza"),
        ("--stanza=s --pg1-path=/pg restore --target=x", 31, "option 'target' is only valid with type=lsn, name, time, xid"),
        ("--stanza=s --pg1-path=/pg restore --type=none --recovery-option=a=b", 31, "only valid with type="),
        ("--stanza=s --pg1-path=/pg restore --output=json", 31, "option 'output' is only valid with --plan"),
        ("--stanza=s --pg1-path=/pg restore --plan --output=num", 32, "'num' is not allowed for option 'output'"),
        ("--stanza=s --pg1-path=/pg backup --plan", 31, "'plan' is not valid for command 'backup'"),
        ("--stanza=s --pg1-path=/pg restore --type=name", 37, "requires option 'target'"),
        ("--stanza=s --pg1-path=/pg backup --force", 31, "option 'force' is only valid with --no-online"),
        ("--stanza=s --pg1-path=/pg backup --compress-type=none --compress-level=3", 31, "only valid with compress-type="),
        ("--stanza=s --pg1-path=/pg backup --annotation=x", 31, "'x' is not KEY=VALUE"),
        ("backup", 37, "requires option 'stanza'"),
        ("--stanza=s backup", 37, "requires option 'pg1-path'\nHINT: is there a section [s] in the configuration?"),
        ("--stanza=s backup --bogus-option-that-is-much-too-long-to-be-the-name-of-anything-at-all=1", 31, "longer than 64"),
        ("backup:remote --stanza=s", 67, "not supported yet: command role 'backup:remote'"),
    ])
    func refused(_ line: String, _ status: Int, _ text: String) throws {
        let error = try #require(failure(line), "\(line)")
        #expect(Int(error.code.exitStatus) == status, "\(line): \(error)")
        #expect("\(error)".contains(text), "\(line): \(error)")
    }

    @Test func emptyCommandLineIsHelp() throws {
        #expect(try load("").command.name == "help")
        #expect(try load("--version").command.name == "version")
        #expect(try load("backup --help").positional == ["backup"])
        #expect(try load("--help backup").positional == ["backup"])
        #expect(try load("-V").command.name == "version" && load("-h").command.name == "help")
        #expect(try load("backup -h").positional == ["backup"])
        // An option alone: the page of a command that has it.
        #expect(try load("help repo1-s3-uri-style").positional == ["backup", "repo1-s3-uri-style"])
        #expect(try load("help tablespace-map").positional == ["restore", "tablespace-map"])
        #expect(failure("help nonsense")?.code == .commandInvalid)
    }

    /// All secrets of the table, not only those that somebody thought of.
    @Test func noSecretIsTaken() {
        for option in table.options where option.isSecret {
            #expect(failure("info --\(option.fullName(1))=x")?.message.contains("is a secret") == true, "\(option.name)")
        }
    }

    /// Every name that is the only one with its beginning is found by it, and never another one.
    @Test func beginningsOfNames() throws {
        for option in table.options {
            let name = option.fullName(3)
            let full = try #require(try table.matchPrefix(name))
            #expect(full.option.name == option.name && full.index == (option.group == nil ? 0 : 3))
            let beginning = String(name.dropLast())
            do {
                guard let match = try table.matchPrefix(beginning) else {
                    Issue.record("\(beginning) finds nothing")
                    continue
                }
                #expect(match.option.pattern.hasPrefix(String(option.pattern.dropLast())), "\(beginning)")
            } catch { #expect(error.code == .optionInvalid) }
        }
    }
}

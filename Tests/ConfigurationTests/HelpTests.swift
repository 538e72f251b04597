// Pages of help: complete, within 80 columns, with the values that hold.

import Testing

@testable import BackstopCommands
@testable import BackstopCore

func help(_ line: String, file: String = "", environment: [String: String] = [:]) throws(BackupError) -> String {
    try Help.page(try load(line, file: file, environment: environment), table)
}

@Suite struct HelpTests {
    @Test func generalListsEveryCommand() throws {
        let page = try help("help")
        for command in table.commands { #expect(page.contains("\n  \(command.name) ") != command.isHidden, "\(command.name)") }
        #expect(page.contains("(not supported") == true)
        for line in ["", "--help", "help help", "help --help"] { #expect(try help(line) == page, "\(line)") }
    }

    /// Not one option of any command is missing from its page, and each has a page of its own.
    @Test func everyOptionHasItsPlace() throws {
        for command in table.commands where command.name != "help" {
            let page = try help("help \(command.name)")
            #expect(page.contains("command \(command.name)"))
            checkWidth(page)
            for option in table.options where option.commands.contains(command.name) {
                #expect(page.contains("\n  --\(option.pattern)") != option.isHidden, "\(command.name) \(option.pattern)")
                // Its pages differ little from command to command.
                guard command.name == option.commands.min() || option.commands.count < 4 else { continue }
                let own = try help("help \(command.name) \(option.pattern)")
                #expect(own.contains("option \(option.pattern)") && own.contains("  type  "), "\(option.pattern)")
                checkWidth(own)
            }
        }
    }

    private func checkWidth(_ page: String) {
        for line in page.split(separator: "\n") where line.count > 80 && line.trimmed.contains(" ") {
            Issue.record("longer than 80: \(line)")
        }
        #expect(page.hasSuffix("\n") && !page.contains(" \n"))
    }

    @Test func aPageOfACommand() throws {
        let page = try help("help stop")
        #expect(
            page.hasPrefix(
                """
                \(Program.title) \(Program.version) - command stop

                Keep commands from running.

                For one stanza, or without --stanza for all. Commands that run go on, unless
                --force ends them.

                Usage:
                  pgbackstop [options] stop

                General options:
                  --allow-root                      permit to run as root [default=n]
                  --config                          main configuration file
                                                    [default=/etc/pgbackstop/pgbackstop.conf]
                """))
        #expect(try help("stop --help") == page)
        #expect(try help("help archive-get").contains("  pgbackstop [options] --stanza=STANZA archive-get WAL-NAME DESTINATION\n"))
        #expect(try help("help repo-ls").contains("  pgbackstop [options] repo-ls [PATH]\n"))
    }

    @Test func aPageOfAnOption() throws {
        let page = try help("help backup compress-level --compress-level=4")
        #expect(
            page == """
                \(Program.title) \(Program.version) - backup, option compress-level

                How hard files are compressed.

                Higher is smaller and slower.

                  type          whole number, -7 to 22
                  range         by compress-type: bz2: 1 to 9, gz: -1 to 9, lz4: -5 to 12, zst:
                                -7 to 22
                  default       by compress-type: bz2: 9, gz: 6, lz4: 1, zst: 3
                  current       4
                  only with     compress-type=bz2, gz, lz4, zst
                  command line  --compress-level=N
                  environment   PGBACKSTOP_COMPRESS_LEVEL
                  file          [global] or [STANZA]: compress-level=N

                """)
        for name in ["repo-path", "repoN-path", "repo3-path"] {
            #expect(try help("help info \(name)").contains("old names     repo-path"))
        }
        #expect(try help("help backup db-path").contains("option pgN-path"))
        #expect(try help("help restore type").contains("one of default, immediate, lsn"))
        #expect(try help("help backup repoN-cipher-pass").contains("not allowed on the command line"))
        #expect(try help("help backup expire-auto").contains("not yet       y"))
        #expect(try help("help archive-push archive-push-batch-size").contains("This version does not support it yet."))
        #expect(!(try help("help restore delta").contains("This version does not support it yet.")))
    }

    @Test func currentValues() throws {
        let file =
            "[global]\nprocess-max=3\nrepo1-path=/a\nrepo2-path=/b\nrepo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=hush\nrepo1-type=s3\n"
        #expect(try help("help backup process-max", file: file).contains("  current       3\n"))
        #expect(try help("help backup process-max --process-max=5", file: file).contains("  current       5\n"))
        #expect(try help("help backup", file: file).contains("[default=1, current=3]"))
        #expect(try help("help backup repo-path", file: file).contains("repo1-path: /a, repo2-path: /b"))
        let page = try help("help backup", file: file) + help("help backup repo1-cipher-pass", file: file)
        #expect(page.contains("<redacted>") && !page.contains("hush"))
        #expect(status("help backup", environment: ["PGBACKSTOP_PROCESS_MAX": "x"]) == 32)
        #expect(status("help", environment: ["PGBACKSTOP_PROCESS_MAX": "x"]) == 0)
    }

    @Test func mistakes() throws {
        #expect(failure("help bakcup")?.code == .commandInvalid)
        #expect(failure("help bakcup")?.hint == "did you mean 'backup'?")
        for (line, hint) in [
            ("help backup compres-type", "did you mean 'compress-type'?"), ("help backup bogus", "'help backup' lists what there is."),
            ("help info process-max", "'help info' lists what is."),
        ] {
            do {
                _ = try help(line)
                Issue.record("\(line) has a page")
            } catch {
                #expect(error.code == .optionInvalid)
                #expect(error.hint == hint, "\(line)")
            }
        }
        #expect(failure("help backup type more")?.code == .parameterInvalid)
    }

    @Test func versions() throws {
        #expect(versionText(try load("version").options, .own) == "\(Program.title) \(Program.version)\n")
        #expect(versionText(try load("version --output=num").options, .own) == Program.versionNumber)
        #expect(status("version --output=json") == 32)
    }

    @Test func wrapping() {
        let word = String(repeating: "x", count: 30)
        #expect(HelpText.wrap("\(word) \(word) \(word)") == "\(word) \(word)\n\(word)\n")
        #expect(HelpText.wrap(String(repeating: "y", count: 90)) == String(repeating: "y", count: 90) + "\n")
        #expect(HelpText.row("--a", "b", column: 8) == "  --a   b\n")
        #expect(HelpText.row("--much-too-long", "b", column: 8) == "  --much-too-long\n        b\n")
    }
}

@Suite struct NearestNameTests {
    @Test(arguments: [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("kitten", "sitting", 3), ("repo", "repo", 0), ("abcd", "acbd", 1)])
    func distances(_ a: String, _ b: String, _ distance: Int) {
        #expect(editDistance(a, b) == distance && editDistance(b, a) == distance)
    }

    @Test func onlyWhatIsNear() {
        #expect(nearestName(to: "bakcup", in: ["check", "backup"]) == "backup")
        #expect(nearestName(to: "sto", in: ["start", "stop"]) == "stop")
        #expect(nearestName(to: "xyz", in: ["start", "stop"]) == nil)
    }
}

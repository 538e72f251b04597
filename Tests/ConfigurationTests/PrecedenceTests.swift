// Who wins: command line, environment, the four kinds of sections, the default.

@testable import BackstopCore
import Testing

@Suite struct PrecedenceTests {
    /// Each source gives process-max its own value; removing the winner lets the next one win.
    @Test func theOrderOfSources() throws {
        let sections = ["s:backup", "s", "global:backup", "global"]
        for winner in 0...6 {
            var line = backup
            var environment: [String: String] = [:]
            var file = ""
            // Lowest first, so that the order in the file cannot decide.
            for (place, section) in sections.enumerated().reversed() where place + 2 >= winner {
                file += "[\(section)]\nprocess-max=\(place + 12)\n"
            }
            if winner <= 1 { environment["PGBACKSTOP_PROCESS_MAX"] = "11" }
            if winner == 0 { line += " --process-max=10" }
            let configuration = try load(line, file: file, environment: environment)
            #expect(configuration.options.number("process-max") == (winner == 6 ? 1 : winner + 10))
            switch (winner, configuration.options.source("process-max")) {
            case (0, .commandLine), (1, .environment("PGBACKSTOP_PROCESS_MAX")), (2...5, .file), (6, .defaultValue): break
            case (_, let source): Issue.record("case \(winner) has source \(String(describing: source))")
            }
        }
    }

    @Test func otherSectionsAreNotRead() throws {
        let file = "[t]\nprocess-max=3\n[global:restore]\nprocess-max=4\n[s:restore]\nprocess-max=5\n[t:backup]\nprocess-max=6\n"
        #expect(try load(backup, file: file).options.number("process-max") == 1)
    }

    @Test func stanzaMayComeFromTheEnvironment() throws {
        let configuration = try load("info", file: "[s]\nrepo1-path=/r\n", environment: ["PGBACKSTOP_STANZA": "s"])
        #expect(configuration.stanza == "s")
        #expect(configuration.options.string("repo-path", 1) == "/r")
    }

    @Test func listsOfDifferentSourcesAreNotMixed() throws {
        let file = "[global]\nexclude=a\nexclude=b\n"
        #expect(try load(backup, file: file).options.list("exclude") == ["a", "b"])
        #expect(try load(backup, file: file, environment: ["PGBACKSTOP_EXCLUDE": "c:d"]).options.list("exclude") == ["c", "d"])
        #expect(try load(backup + " --exclude=e", file: file).options.list("exclude") == ["e"])
    }

    @Test func resetGoesBackToTheDefault() throws {
        let configuration = try load(
            backup + " --reset-process-max", file: "[s]\nprocess-max=3\n", environment: ["PGBACKSTOP_PROCESS_MAX": "4"])
        #expect(configuration.options.number("process-max") == 1)
        #expect(!configuration.options.isGiven("process-max"))
    }

    @Test func negationWins() throws {
        let configuration = try load(backup + " --no-start-fast --no-backup-standby", file: "[global]\nstart-fast=y\nbackup-standby=y\n")
        #expect(configuration.options.optionalFlag("start-fast") == false)
        #expect(configuration.options.string("backup-standby") == "n")
    }

    @Test func defaultsDifferByCommand() throws {
        #expect(try load(backup).options.string("type") == "incr")
        #expect(try load("--stanza=s --pg1-path=/pg restore").options.string("type") == "default")
        #expect(try load("--stanza=s info").options.string("type") == nil)
        #expect(try load("--stanza=s --pg1-path=/pg restore").options.string("set") == "latest")
        #expect(try load("--stanza=s --pg1-path=/pg archive-push w").options.number("job-retry") == 1)
        #expect(try load(backup).options.number("job-retry") == 2)
        #expect(try load(backup).options.optionalFlag("checksum-page") == nil)
    }
}

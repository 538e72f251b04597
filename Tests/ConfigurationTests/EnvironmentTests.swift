// The environment (cli.md section 1.7).

@testable import BackstopCore
import Glibc
import Testing

@Suite struct EnvironmentTests {
    @Test func everyKindOfOption() throws {
        let configuration = try load(
            "backup",
            environment: [
                "PGBACKSTOP_STANZA": "s", "PGBACKSTOP_PG1_PATH": "/pg", "PGBACKSTOP_REPO2_PATH": "/r", "PGBACKSTOP_EXCLUDE": "a:b",
                "PGBACKSTOP_ANNOTATION": "k=v:l=w", "PGBACKSTOP_START_FAST": "y", "PGBACKSTOP_REPO2_CIPHER_TYPE": "aes-256-cbc",
                "PGBACKSTOP_REPO2_CIPHER_PASS": "hush", "PGBACKSTOP_ONLINE": "n",
            ])
        let options = configuration.options
        #expect(configuration.stanza == "s")
        #expect(options.indexes(.repo) == [2])
        #expect(options.list("exclude") == ["a", "b"])
        #expect(options.map("annotation") == ["k": "v", "l": "w"])
        #expect(options.flag("start-fast") && options.optionalFlag("online") == false)
        #expect(options.string("repo-cipher-pass", 2) == "hush")
        #expect(options.source("repo-path", 2) == .environment("PGBACKSTOP_REPO2_PATH"))
    }

    @Test func unknownNamesAreWarnings() throws {
        let configuration = try load(
            "info",
            environment: [
                "PGBACKSTOP_BOGUS": "1", "PGBACKSTOP_NO_ONLINE": "y", "PGBACKSTOP_RESET_LOG_PATH": "y", "PGBACKSTOP_LOG_PAHT": "/x",
                "PATH": "/bin",
            ])
        #expect(configuration.warnings.count == 4)
        #expect(configuration.warnings[1] == "environment variable PGBACKSTOP_LOG_PAHT names no option\nHINT: did you mean 'log-path'?")
    }

    @Test func values() {
        #expect(status("info", environment: ["PGBACKSTOP_LOG_PATH": ""]) == 32)
        #expect(status("info", environment: ["PGBACKSTOP_LOG_TIMESTAMP": "true"]) == 32)
        #expect(status("info", environment: ["PGBACKSTOP_REPO_BUNDLE": "y"]) == 31)
        #expect(status("info", environment: ["PGBACKSTOP_REPO1_PATH": "/a", "PGBACKSTOP_REPO_PATH": "/b"]) == 31)
        // Not for this command, so not even looked at.
        #expect(status("info", environment: ["PGBACKSTOP_PROCESS_MAX": "x", "PGBACKSTOP_START_FAST": ""]) == 0)
        // Neither does it read the environment at all.
        #expect(status("version", environment: ["PGBACKSTOP_OUTPUT": "x"]) == 0)
    }

    /// Operators give one environment to all commands, and take any line about it for a failure.
    @Test(arguments: [
        ("--pg1-path=/pg restore", ["ARCHIVE_CHECK": "n", "START_FAST": "bogus", "COMPRESS_TYPE": ""]),
        ("info", ["ARCHIVE_CHECK": "x", "PG1_PATH": "relative", "PROCESS_MAX": "0"]),
        ("archive-push x", ["TYPE": "full", "SET": "", "DELTA": "x"]),
        ("--pg1-path=/pg archive-get x y", ["TYPE": "full", "ARCHIVE_CHECK": "x", "REPO1_RETENTION_FULL": "0"]),
        ("--pg1-path=/pg check", ["TYPE": "full", "REPO1_RETENTION_FULL": "0"]), ("start", ["TYPE": "full", "REPO1_PATH": ""]),
        ("--pg1-path=/pg stanza-create", ["TYPE": "full", "ARCHIVE_TIMEOUT": "x"]),
    ])
    func foreignOptionsAreIgnored(_ line: String, _ variables: [String: String]) throws {
        let environment = Dictionary(uniqueKeysWithValues: variables.map { ("PGBACKREST_" + $0, $1) })
        for program in ["pgbackrest", "pgbackstop"] {
            let configuration = try load("--stanza=s " + line, as: program, in: Files(), environment: environment)
            #expect(configuration.warnings == [] && configuration.notes == [], "\(line)")
        }
    }

    @Test func thePeersVariablesStandIn() throws {
        let configuration = try load(
            "info",
            environment: [
                "PGBACKREST_LOG_PATH": "/theirs", "PGBACKSTOP_LOG_PATH": "/ours", "PGBACKREST_REPO1_PATH": "/r", "PGBACKREST_X": "1",
            ])
        #expect(configuration.options.string("log-path") == "/ours")
        #expect(configuration.options.string("repo-path", 1) == "/r")
        #expect(configuration.notes == ["PGBACKREST_REPO1_PATH used from the environment, because no PGBACKSTOP_ variable sets the same"])
        #expect(configuration.warnings == ["environment variable PGBACKREST_X names no option"])
    }

    @Test func theProcessesOwn() {
        setenv("PGBACKSTOP_TEST_OF_THE_ENVIRONMENT", "a=b", 1)
        defer { unsetenv("PGBACKSTOP_TEST_OF_THE_ENVIRONMENT") }
        let variables = configurationEnvironment()
        #expect(variables["PGBACKSTOP_TEST_OF_THE_ENVIRONMENT"] == "a=b")
        #expect(variables["PATH"] == nil)
    }

    /// A value that cannot be is that of a variable, which is what the user has to find.
    @Test func wrongValuesAreNamed() throws {
        let error = try #require(failure("info", environment: ["PGBACKREST_LOG_TIMESTAMP": "true"]))
        #expect(error.message.contains("PGBACKREST_LOG_TIMESTAMP"), "\(error)")
        let index = try #require(failure("info", environment: ["PGBACKREST_REPO_BUNDLE": "y"]))
        #expect(index.message.contains("PGBACKREST_REPO_BUNDLE"), "\(index)")
    }

    /// What Kubernetes tells each container about a service that is called pgbackrest, or pgbackrest-pg.
    @Test(arguments: ["info", backup, "--stanza=s archive-push x"])
    func servicesOfKubernetes(_ line: String) throws {
        let configuration = try load(
            line,
            environment: [
                "PGBACKREST_PORT": "tcp://10.0.0.1:8432", "PGBACKREST_PG_PORT": "tcp://10.0.0.1:5432",
                "PGBACKREST_SERVICE_HOST": "10.0.0.1",
                "PGBACKREST_SERVICE_PORT": "8432", "PGBACKREST_SERVICE_PORT_TLS": "8432", "PGBACKREST_PORT_8432_TCP": "tcp://10.0.0.1:8432",
                "PGBACKREST_PORT_8432_TCP_ADDR": "10.0.0.1", "PGBACKREST_PORT_8432_TCP_PROTO": "tcp",
                "PGBACKREST_PORT_8432_TCP_PORT": "8432",
                "PGBACKREST_PG_SERVICE_HOST": "10.0.0.1", "PGBACKREST_PG_PORT_5432_TCP_PORT": "5432",
            ])
        #expect(configuration.warnings == [] && configuration.notes == [])
    }
}

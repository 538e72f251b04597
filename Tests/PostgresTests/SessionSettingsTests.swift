import Testing

@testable import BackstopCommands

struct SessionSettingsTests {
    /// A server refuses a session that begins with a setting that it does not know.
    @Test(
        arguments: [
            (
                PostgresVersion.v9_6, ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"],
                ["tcp_user", "idle_session"]
            ),
            (.v13, ["tcp_user_timeout"], ["idle_session_timeout", "transaction_timeout"].map { " \($0)" }),
            (.v14, ["idle_session_timeout"], [" transaction_timeout"]), (.v16, ["idle_session_timeout"], [" transaction_timeout"]),
            (.v17, ["idle_session_timeout", " transaction_timeout"], []), (.v19, [" transaction_timeout"], []),
            (nil, ["statement_timeout"], ["idle_session", "tcp_user", " transaction_timeout"]),
        ] as [(PostgresVersion?, [String], [String])])
    func whatAVersionKnows(_ version: PostgresVersion?, _ known: [String], _ unknown: [String]) {
        let settings = SessionSettings(version)
        for text in [settings.startup(after: nil), settings.statements] {
            for name in known { #expect(text.contains(name), "\(text)") }
            for name in unknown { #expect(!text.contains(name), "\(text)") }
        }
    }

    @Test func form() {
        let settings = SessionSettings(.v17)
        let text = settings.startup(after: "-c work_mem=5MB")
        // What comes later wins.
        #expect(text.hasPrefix("-c work_mem=5MB -c search_path=pg_catalog -c "))
        #expect(text.contains(" -c default_transaction_isolation=read\\ committed -c "))
        #expect(settings.statements.contains("; set default_transaction_isolation = 'read committed'; set "))
    }

    @Test(arguments: [
        ("FATAL:  unrecognized configuration parameter \"transaction_timeout\"", true),
        ("FATAL:  unbekannter Konfigurationsparameter »x« \"idle_session_timeout\"", true),
        ("ERROR:  unsupported startup parameter: options", true), ("FATAL:  password authentication failed for user \"backup\"", false),
        ("FATAL:  database \"options\" does not exist", false), ("no answer within 30.0 seconds", false),
    ])
    func refusal(_ message: String, _ expected: Bool) {
        #expect(SessionSettings.isRefusal(message) == expected)
    }
}

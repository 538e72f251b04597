// What a session of ours runs with, whatever its role, its database or the environment say: no limit may end a backup of hours, and no
// setting change the answers.

struct SessionSettings {
    private struct Setting {
        var name: String
        var value: String
        var since = PostgresVersion.v9_6
    }

    /// Who may log in may set all of these.
    private static let all = [
        Setting(name: "search_path", value: "pg_catalog"), Setting(name: "standard_conforming_strings", value: "on"),
        Setting(name: "client_min_messages", value: "error"),
        // A standby refuses serializable transactions, and a deferrable one waits.
        Setting(name: "default_transaction_isolation", value: "read committed"),
        Setting(name: "default_transaction_deferrable", value: "off"), Setting(name: "default_transaction_read_only", value: "off"),
        Setting(name: "DateStyle", value: "ISO"), Setting(name: "statement_timeout", value: "0"), Setting(name: "lock_timeout", value: "0"),
        Setting(name: "idle_in_transaction_session_timeout", value: "0"), Setting(name: "tcp_user_timeout", value: "0", since: .v12),
        Setting(name: "idle_session_timeout", value: "0", since: .v14), Setting(name: "transaction_timeout", value: "0", since: .v17),
    ]

    private let settings: [Setting]

    /// `version`: of the server; nil, when it is not known yet: those that every version has.
    init(_ version: PostgresVersion?) { settings = Self.all.filter { $0.since <= version ?? .v9_6 } }

    /// For the first message of the session: what it says wins over the role and the database, and no limit ends the session before it could
    /// be lifted. `before`: the user's own, of which the rest stays as it is.
    func startup(after before: String?) -> String {
        (before ?? "") + settings.map { " -c \($0.name)=\($0.value.replacing(" ", with: "\\ "))" }.joined()
    }

    /// For a session that has begun. A pooler may have dropped what the first message said.
    var statements: String {
        settings.map { "set \($0.name) = \($0.value.contains(" ") ? "'\($0.value)'" : $0.value)" }.joined(separator: "; ")
    }

    /// Whether a session was refused because of what `startup` says: an older server does not know a setting, a pooler does not take any.
    static func isRefusal(_ message: String) -> Bool {
        message.contains("startup parameter") || all.contains { message.contains("\"\($0.name)\"") }
    }
}

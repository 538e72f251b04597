// Groups of commands that accept the same options (cli.md section 1.2).

/// Names of commands.
enum Commands {
    /// All that do something.
    static let working: Set<String> = connected.union(["start", "stop"])
    /// All that can be told where the configuration is: scripts tell 'version' as well, which reads none.
    static let readingFiles: Set<String> = working.union(["version"])
    /// All that talk to anything: a repository, a host.
    static let connected: Set<String> = repository.union(["server", "server-ping"])
    /// All that speak the protocol between hosts.
    static let speaking: Set<String> = repository.union(["server"])
    /// All that can touch a repository.
    static let repository: Set<String> = [
        "annotate", "archive-get", "archive-push", "backup", "check", "expire", "info", "manifest", "repo-get", "repo-ls", "repo-rm",
        "restore", "stanza-create", "stanza-delete", "stanza-upgrade", "verify",
        // Not the peer's.
        "driver", "serve",
    ]
    /// All that work for one stanza or for all.
    static let stanza: Set<String> = repository.union(["start", "stop"])
    /// All that can be told which repository to use; the others use all.
    static let oneRepository: Set<String> = repository.subtracting(["archive-push", "check", "stanza-create", "stanza-upgrade"])
    /// All that know where a cluster is.
    static let cluster: Set<String> = databaseHost.union(["archive-get", "archive-push", "restore", "serve"])
    /// All that may reach a cluster on another host.
    static let databaseHost: Set<String> = database.union(["manifest"])
    /// All that ask the database.
    static let database: Set<String> = ["backup", "check", "stanza-create", "stanza-delete", "stanza-upgrade"]
    /// All that ask it from its own host.
    static let databaseUser: Set<String> = database.union(["serve"])
    /// All that have workers.
    static let workers: Set<String> = ["archive-get", "archive-push", "backup", "restore", "verify"]
    /// All that write compressed files.
    static let compressing: Set<String> = ["archive-push", "backup"]
    /// All that know retention.
    static let retaining: Set<String> = ["backup", "expire"]
    static let archive: Set<String> = ["archive-get", "archive-push"]
    static let backup: Set<String> = ["backup"]
    static let restore: Set<String> = ["restore"]
    static let locking: Set<String> = stanza.subtracting(["check", "manifest", "repo-get", "repo-ls", "repo-rm", "verify"])
    static let creatingFiles: Set<String> = stanza.subtracting(["info", "manifest"])
    static let readingInThePast: Set<String> = ["archive-get", "info", "manifest", "repo-get", "repo-ls", "restore", "verify"]
    static let server: Set<String> = ["server"]
    static let serverAddress: Set<String> = ["server", "server-ping"]
}

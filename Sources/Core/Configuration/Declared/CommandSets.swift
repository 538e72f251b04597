// Groups of commands that accept the same options (cli.md section 1.2).

/// Names of commands.
public enum CommandSets {
    /// All that do something.
    public static let working: Set<String> = connected.union(["start", "stop"])
    /// All that can be told where the configuration is: scripts tell 'version' as well, which reads none.
    public static let readingFiles: Set<String> = working.union(["version"])
    /// All that talk to anything: a repository, a host.
    public static let connected: Set<String> = repository.union(["server", "server-ping"])
    /// All that speak the protocol between hosts.
    public static let speaking: Set<String> = repository.union(["server"])
    /// All that can touch a repository.
    public static let repository: Set<String> = [
        "annotate", "archive-get", "archive-push", "backup", "check", "expire", "info", "manifest", "repo-get", "repo-ls", "repo-rm",
        "restore", "stanza-create", "stanza-delete", "stanza-upgrade", "verify",
        // Not the peer's.
        "driver", "serve",
    ]
    /// All that work for one stanza or for all.
    public static let stanza: Set<String> = repository.union(["start", "stop"])
    /// All that can be told which repository to use; the others use all.
    public static let oneRepository: Set<String> = repository.subtracting(["archive-push", "check", "stanza-create", "stanza-upgrade"])
    /// All that know where a cluster is.
    public static let cluster: Set<String> = databaseHost.union(["archive-get", "archive-push", "restore", "serve"])
    /// All that may reach a cluster on another host.
    public static let databaseHost: Set<String> = database.union(["manifest"])
    /// All that ask the database.
    public static let database: Set<String> = ["backup", "check", "stanza-create", "stanza-delete", "stanza-upgrade"]
    /// All that ask it from its own host.
    public static let databaseUser: Set<String> = database.union(["serve"])
    /// All that have workers.
    public static let workers: Set<String> = ["archive-get", "archive-push", "backup", "restore", "verify"]
    /// All that write compressed files.
    public static let compressing: Set<String> = ["archive-push", "backup"]
    /// All that know retention.
    public static let retaining: Set<String> = ["backup", "expire"]
    /// All that archive WAL or fetch it.
    public static let archive: Set<String> = ["archive-get", "archive-push"]
    /// The one that copies a cluster.
    public static let backup: Set<String> = ["backup"]
    /// The one that puts a cluster back.
    public static let restore: Set<String> = ["restore"]
    /// All that accept `lock-path`, the folder of locks and stop files.
    public static let locking: Set<String> = stanza.subtracting(["check", "manifest", "repo-get", "repo-ls", "repo-rm", "verify"])
    /// All that accept `neutral-umask`, by which new files get their modes.
    public static let creatingFiles: Set<String> = stanza.subtracting(["info", "manifest"])
    /// All that can see a repository as it was (`repo-target-time`).
    public static let readingInThePast: Set<String> = ["archive-get", "info", "manifest", "repo-get", "repo-ls", "restore", "verify"]
    /// The one that waits for TLS clients.
    public static let server: Set<String> = ["server"]
    /// The same, and the one that asks whether it is there.
    public static let serverAddress: Set<String> = ["server", "server-ping"]
}

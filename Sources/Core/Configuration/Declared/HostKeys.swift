// What can be said of another host that this program is started on: the same of a repository's host and of a cluster's.

/// The options by which one kind of other host is described.
public struct HostKeys: Sendable {
    public let host: OptionKey<String?>
    public let user: OptionKey<String>
    /// nil or 0: the client's own.
    public let port: OptionKey<Int?>
    /// Path of the program there.
    public let cmd: OptionKey<String?>
    /// Where the configuration is there, and the options by which the program there is told.
    public let sources: [(key: OptionKey<String>, there: String)]
}

extension RepositoryHostOptions {
    /// Those of `repoN-host`.
    public static let keys = HostKeys(
        host: host, user: user, port: port, cmd: cmd,
        sources: [(config, "config"), (configPath, "config-path"), (configIncludePath, "config-include-path")])
}

extension ClusterHostOptions {
    /// Those of `pgN-host`.
    public static let keys = HostKeys(
        host: host, user: user, port: port, cmd: cmd,
        sources: [(config, "config"), (configPath, "config-path"), (configIncludePath, "config-include-path")])
}

// What a command gets when it runs.

public import BackstopCore

/// What a run of a command has: what the user asked for, and the ways to the outside.
public struct RunContext: Sendable {
    /// As in `CommandSpec.name`.
    public var command: String
    /// Resolved and checked.
    public var options: Options
    /// For a command that looks at what others will do: their options by their names.
    public var optionsOf: [String: Options] = [:]
    /// What stands after the command's name: no more words than its `CommandSpec.positional` has.
    public var positional: [String]
    /// Only what plugins.conf allows.
    public var registry: Registry
    /// Set up as the configuration says, and used by all workers.
    public var log: Log
    /// Indexes of the repositories that the command works with.
    var repositories: [Int] = []
    /// What the command holds while it runs, and what it asks of other hosts.
    var lock: CommandLock?
    var hostLocks: HostLocks?
    /// Opens a folder of this host as a file tree: PGDATA, or the file system root when the path is empty.
    public var openTree: @Sendable (_ path: String) -> any FileTree
    /// Connects to the host that `pgN-host` names; `cluster` is what it is told of the cluster (docs/driver-protocol.md).
    public var openHost:
        @Sendable (_ options: Options, _ index: Int, _ context: DriverContext, _ cluster: JSON) throws(BackupError) -> any FarHost
    /// Options as they would be given again to another command of the program on this host: for `restore_command`.
    public var inheritedOptions: [String]
    /// Path of this program, by the name that it was called.
    public var programPath: String
    /// Likewise, as other hosts are to start it.
    public var programPathThere: String

    public init(
        command: String, options: Options, positional: [String], registry: Registry, log: Log,
        openTree: @escaping @Sendable (String) -> any FileTree,
        openHost: @escaping @Sendable (Options, Int, DriverContext, JSON) throws(BackupError) -> any FarHost, inheritedOptions: [String],
        programPath: String
    ) {
        self.command = command
        self.options = options
        self.positional = positional
        self.registry = registry
        self.log = log
        self.openTree = openTree
        self.openHost = openHost
        self.inheritedOptions = inheritedOptions
        self.programPath = programPath
        programPathThere = programPath
    }

    func driverContext(isConfined: Bool = false, locks: HostLocks? = nil) -> DriverContext {
        DriverContext(log: log, programPath: programPathThere, isConfined: isConfined, locks: locks)
    }

    func stanza() throws(BackupError) -> String { try options.required(SourceOptions.stanza) }
}

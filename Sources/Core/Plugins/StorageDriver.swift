// What a storage driver is to those who choose it by name: what it is like, what options it has, and how it is opened.

/// What a driver gets besides its options.
public struct DriverContext: Sendable {
    /// For what a driver tells people, without secrets.
    public var log: Log
    /// The storage is for somebody else, who must not get out of it: not even a link inside it is followed to the outside.
    public var isConfined: Bool
    /// Path of this program, which is likely that on other hosts too.
    public var programPath: String
    /// What is to be locked where the storage is, when that is another host, for as long as the storage is used.
    public var locks: HostLocks?
    public init(log: Log, programPath: String = "pgbackstop", isConfined: Bool = false, locks: HostLocks? = nil) {
        self.log = log
        self.programPath = programPath
        self.isConfined = isConfined
        self.locks = locks
    }
}

/// A kind of storage, built in or a program.
public struct StorageDriver: Sendable {
    /// Where what it stores is.
    public enum Place: Sendable {
        /// `repo-path` is a folder of this host.
        case thisHost
        /// `repo-path` is a folder of the host that `repo-host` names.
        case otherHost
        /// A service of its own.
        case elsewhere
    }

    /// Makes a storage of the options of repository `index`; it may connect with the first request only.
    public typealias Open = @Sendable (_ options: Options, _ index: Int, _ context: DriverContext) async throws(BackupError) -> any Storage
    /// Refuses what can be seen to be wrong before anything is opened; `command` is for the message.
    public typealias Check = @Sendable (_ options: Options, _ index: Int, _ command: String) throws(BackupError) -> Void

    /// The word of `repo-type`.
    public let name: String
    /// Exists wherever that driver does, and is not in plugins.conf itself.
    public let variantOf: String?
    /// Decides what `repo-path` means, and whether `repo-host` belongs to it.
    public let place: Place
    /// Whether a repository can have symbolic links; nil: known when it is opened.
    public let hasLinks: Bool?
    /// As in a configuration: `repoN-NAME-…`. Empty when the driver describes them itself.
    public let options: [OptionSpec]
    /// Called for each repository of the type before the command runs.
    public let check: Check
    /// Of a driver that is not of this program: asks it what it says about itself.
    public let describe: (@Sendable (Options, DriverContext) async throws(BackupError) -> DriverDescription)?
    /// Opens the storage of the repository with this index.
    public let open: Open

    public init(
        name: String, variantOf: String? = nil, options: [OptionSpec] = [], place: Place = .elsewhere, hasLinks: Bool? = nil,
        check: @escaping Check = { (_, _, _) throws(BackupError) in },
        describe: (@Sendable (Options, DriverContext) async throws(BackupError) -> DriverDescription)? = nil, open: @escaping Open
    ) {
        self.name = name
        self.variantOf = variantOf
        self.options = options
        self.place = place
        self.hasLinks = hasLinks
        self.check = check
        self.describe = describe
        self.open = open
    }
}

// What exists here: drivers, codecs, ciphers and checksums by name. A value, no globals.

/// What a driver gets besides its options.
public struct DriverContext: Sendable {
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

/// Locks of a command's stanza that another host takes too (repository-format.md section 12.1).
public struct HostLocks: Sendable, Equatable {
    /// `archive`, `backup`, `restore`.
    public var kinds: [String]
    /// Of the repositories as the client numbers them.
    public var repositories: [Int]
    /// The name of the run, which shares its locks with itself.
    public var run: String
    public init(kinds: [String], repositories: [Int], run: String) {
        self.kinds = kinds
        self.repositories = repositories
        self.run = run
    }

    /// nil when it is none.
    public init?(wire value: JSON) {
        guard let kinds = value["kinds"]?.array?.compactMap(\.string), let repositories = value["repositories"]?.array?.compactMap(\.int),
            repositories.allSatisfy({ (1...256).contains($0) }), let run = value["run"]?.string, run.utf8.count <= 100
        else { return nil }
        self.init(kinds: kinds, repositories: repositories.map(Int.init), run: run)
    }

    public var wire: JSON {
        .object([
            "kinds": .array(kinds.map { .string($0) }), "repositories": .array(repositories.map { .integer(Int64($0)) }),
            "run": .string(run),
        ])
    }
}

public struct StorageDriver: Sendable {
    public var name: String
    /// Of a driver that is a program: starts it and asks what it says about itself.
    public var describe: (@Sendable (Options, DriverContext) async throws(BackupError) -> DriverDescription)?
    /// Opens the storage of the repository with this index.
    public var open: @Sendable (_ options: Options, _ index: Int, _ context: DriverContext) async throws(BackupError) -> any Storage

    public init(
        name: String, describe: (@Sendable (Options, DriverContext) async throws(BackupError) -> DriverDescription)? = nil,
        open: @escaping @Sendable (Options, Int, DriverContext) async throws(BackupError) -> any Storage
    ) {
        self.name = name
        self.describe = describe
        self.open = open
    }
}

/// How the streams of a codec are wrapped in the repository (repository-format.md sections 5.3, 7.1, 8.3).
public enum Framing: Sendable {
    /// Like a file of the format's own tool.
    case normal
    /// The shorter form used inside bundles and block-incremental files.
    case raw
}

public struct CodecDriver: Sendable {
    /// As in `compress-type`.
    public var name: String
    /// With the dot: `.gz`.
    public var suffix: String
    public var levels: ClosedRange<Int>
    public var defaultLevel: Int
    public var open: @Sendable (_ level: Int, _ framing: Framing) throws(BackupError) -> any Codec

    public init(
        name: String, suffix: String, levels: ClosedRange<Int>, defaultLevel: Int,
        open: @escaping @Sendable (Int, Framing) throws(BackupError) -> any Codec
    ) {
        self.name = name
        self.suffix = suffix
        self.levels = levels
        self.defaultLevel = defaultLevel
        self.open = open
    }
}

public struct CipherDriver: Sendable {
    /// As in `repo-cipher-type`.
    public var name: String
    public var open: @Sendable (_ passphrase: String, _ framing: Framing) throws(BackupError) -> any Codec

    public init(name: String, open: @escaping @Sendable (String, Framing) throws(BackupError) -> any Codec) {
        self.name = name
        self.open = open
    }
}

public struct Registry: Sendable {
    public private(set) var storages: [String: StorageDriver] = [:]
    public private(set) var codecs: [String: CodecDriver] = [:]
    public private(set) var ciphers: [String: CipherDriver] = [:]
    public private(set) var checksums: [String: any ChecksumProvider] = [:]

    /// Two that were registered under one name: the program must not run, since which of them is meant is not known.
    public private(set) var clash: BackupError?

    public init() {}

    public mutating func register(_ driver: StorageDriver) { add(driver, driver.name, to: \.storages, "storage driver") }
    public mutating func register(_ driver: CodecDriver) { add(driver, driver.name, to: \.codecs, "codec") }
    public mutating func register(_ driver: CipherDriver) { add(driver, driver.name, to: \.ciphers, "cipher") }
    public mutating func register(checksum name: String, _ provider: any ChecksumProvider) {
        add(provider, name, to: \.checksums, "checksum")
    }

    private mutating func add<Value>(
        _ value: Value, _ name: String, to values: WritableKeyPath<Registry, [String: Value]>, _ what: String
    ) {
        guard self[keyPath: values].updateValue(value, forKey: name) != nil, clash == nil else { return }
        clash = BackupError(
            .assertion, "\(what) '\(name)' is registered twice", hint: "give the one that this program was built with another name.")
    }

    public func storage(_ name: String) throws(BackupError) -> StorageDriver { try find(name, in: storages, "storage driver", "storage") }
    public func codec(_ name: String) throws(BackupError) -> CodecDriver { try find(name, in: codecs, "codec", "codec") }
    public func cipher(_ name: String) throws(BackupError) -> CipherDriver { try find(name, in: ciphers, "cipher", "cipher") }
    public func checksum(_ name: String) throws(BackupError) -> any ChecksumProvider {
        try find(name, in: checksums, "checksum", "checksum")
    }

    private func find<Value>(_ name: String, in values: [String: Value], _ what: String, _ section: String) throws(BackupError) -> Value {
        guard let value = values[name] else {
            let known = values.keys.sorted().joined(separator: ", ")
            throw BackupError(
                .unsupported, "there is no \(what) '\(name)' here",
                hint: "the section [\(section)] of plugins.conf and this build know \(known.isEmpty ? "none" : known).")
        }
        return value
    }

    /// Only what `plugins` allows. A name in the file that this build does not have is an error. `program` and `filter` make drivers of
    /// what is not built in.
    public func restricted(
        to plugins: PluginsFile, program: (_ name: String, _ command: [String]) -> StorageDriver,
        filter: (_ name: String, _ encode: [String], _ decode: [String]) -> CodecDriver
    ) throws(BackupError) -> Registry {
        var allowed = Registry()
        for (name, origin) in plugins.entries(.storage) {
            if case .program(let command) = origin { allowed.register(program(name, command)) } else { allowed.register(try storage(name)) }
        }
        for (name, origin) in plugins.entries(.codec) {
            if case .filter(let encode, let decode) = origin {
                allowed.register(filter(name, encode, decode))
            } else {
                allowed.register(try codec(name))
            }
        }
        for (name, _) in plugins.entries(.cipher) { allowed.register(try cipher(name)) }
        for (name, _) in plugins.entries(.checksum) { allowed.register(checksum: name, try checksum(name)) }
        return allowed
    }
}

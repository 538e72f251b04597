// What exists here: drivers, codecs, ciphers and checksums by name. A value, no globals.

/// The names that a configuration may use, and what they stand for.
public struct Registry: Sendable {
    /// By the words of `repo-type`.
    public private(set) var storages: [String: StorageDriver] = [:]
    /// By the words of `compress-type`.
    public private(set) var codecs: [String: CodecDriver] = [:]
    /// By the words of `repo-cipher-type`.
    public private(set) var ciphers: [String: CipherDriver] = [:]
    /// By names such as `sha1`.
    public private(set) var checksums: [String: any ChecksumProvider] = [:]

    /// Storage types that have options but no driver yet, and those options.
    public private(set) var announced: [String: [OptionSpec]] = [:]
    /// Two that were registered under one name: the program must not run, since which of them is meant is not known.
    public private(set) var clash: BackupError?

    public init() {}

    /// A name that is taken makes a `clash`.
    public mutating func register(_ driver: StorageDriver) { add(driver, driver.name, to: \.storages, "storage driver") }
    /// A name that is taken makes a `clash`.
    public mutating func register(_ driver: CodecDriver) { add(driver, driver.name, to: \.codecs, "codec") }
    /// A name that is taken makes a `clash`.
    public mutating func register(_ driver: CipherDriver) { add(driver, driver.name, to: \.ciphers, "cipher") }
    /// A name that is taken makes a `clash`.
    public mutating func register(checksum name: String, _ provider: any ChecksumProvider) {
        add(provider, name, to: \.checksums, "checksum")
    }

    /// A type that this build knows the options of, and has no driver for.
    public mutating func announce(_ type: String, _ options: [OptionSpec]) { announced[type] = options }

    private mutating func add<Value>(
        _ value: Value, _ name: String, to values: WritableKeyPath<Registry, [String: Value]>, _ what: String
    ) {
        guard self[keyPath: values].updateValue(value, forKey: name) != nil, clash == nil else { return }
        clash = BackupError(
            .assertion, "\(what) '\(name)' is registered twice", hint: "give the one that this program was built with another name.")
    }

    /// Throws `.unsupported` (67), with the names that are there; so do its three siblings.
    public func storage(_ name: String) throws(BackupError) -> StorageDriver { try find(name, in: storages, "storage driver", "storage") }
    /// For a word of `compress-type`.
    public func codec(_ name: String) throws(BackupError) -> CodecDriver { try find(name, in: codecs, "codec", "codec") }
    /// For a word of `repo-cipher-type`.
    public func cipher(_ name: String) throws(BackupError) -> CipherDriver { try find(name, in: ciphers, "cipher", "cipher") }
    /// For a name such as `sha1`.
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
            if origin == .builtin { for variant in storages.values where variant.variantOf == name { allowed.register(variant) } }
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

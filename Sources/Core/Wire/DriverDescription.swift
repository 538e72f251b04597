// What a driver in a process of its own says about itself in its hello.

/// Its name, what it can do beyond the contract, and its options: shown by `driver options`, checked before the driver hears of them.
public struct DriverDescription: Sendable {
    /// One option: `repoN-NAME-OPTION` in a configuration, `OPTION` in the driver's own configuration.
    public struct Option: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable { case string, path, boolean, integer, size }

        /// Letters, digits and dashes.
        public var name: String
        public var kind: Kind
        public var isRequired: Bool
        /// Never shown, never on a command line.
        public var isSecret: Bool
        /// Text form.
        public var defaultValue: String?
        public var summary: String

        public init(
            _ name: String, _ kind: Kind = .string, isRequired: Bool = false, isSecret: Bool = false, default defaultValue: String? = nil,
            _ summary: String
        ) {
            self.name = name
            self.kind = kind
            self.isRequired = isRequired
            self.isSecret = isSecret
            self.defaultValue = defaultValue
            self.summary = summary
        }
    }

    public var name: String
    public var capabilities: Capabilities
    public var options: [Option]

    public init(name: String, capabilities: Capabilities = [], options: [Option] = []) {
        self.name = name
        self.capabilities = capabilities
        self.options = options
    }

    static let mostOptions = 100

    /// From the reply to a hello.
    public init(wire value: JSON, from peer: String) throws(BackupError) {
        guard value["proto"]?.int == protocolVersion else {
            let theirs = value["proto"].map(\.text) ?? "none"
            throw BackupError(
                .protocol, "\(peer) speaks version \(theirs) of the driver protocol, this program version \(protocolVersion)",
                hint: "install the same version on both sides.")
        }
        name = value["name"]?.string ?? ""
        capabilities = Capabilities(wire: value["features"])
        options = []
        let described = value["options"] ?? .array([])
        guard let listed = described.array else {
            throw BackupError(.protocol, "\(peer) describes its options by what is no list: \(described.text.prefix(200))")
        }
        for item in listed.prefix(Self.mostOptions + 1) {
            guard let option = Option(wire: item), options.count < Self.mostOptions, !options.contains(where: { $0.name == option.name })
            else {
                throw BackupError(
                    .protocol, "\(peer) describes an option that cannot be: \(item.text.prefix(200))",
                    hint: "a name of small letters, once; kind, default and summary are texts; required and secret true or false.")
            }
            options.append(option)
        }
    }

    public var wire: JSON {
        .object([
            "proto": .integer(protocolVersion), "name": .string(name), "features": capabilities.wire,
            "options": .array(options.map(\.wire)),
        ])
    }
}

extension DriverDescription.Option {
    init?(wire value: JSON) {
        let letters = { (byte: UInt8) in byte == UInt8(ascii: "-") || UInt8(ascii: "0")...57 ~= byte || UInt8(ascii: "a")...122 ~= byte }
        guard let name = value["name"]?.string, (1...40).contains(name.utf8.count), name.utf8.allSatisfy(letters),
            let kind = Kind(rawValue: value["kind"]?.string ?? "string")
        else { return nil }
        // What is there in another type is not passed over: a secret that is none, a default that does not count.
        func isText(_ member: String) -> Bool { value[member].map { $0 == .null || $0.string != nil } ?? true }
        func isFlag(_ member: String) -> Bool { value[member].map { $0 == .null || $0.bool != nil } ?? true }
        guard isText("kind"), isText("default"), isText("summary"), isFlag("required"), isFlag("secret") else { return nil }
        self.init(
            name, kind, isRequired: value["required"]?.bool ?? false, isSecret: value["secret"]?.bool ?? false,
            default: value["default"]?.string, value["summary"]?.string ?? "")
        if let defaultValue, (try? self.value(defaultValue, name)) == nil { return nil }
    }

    var wire: JSON {
        var members: [String: JSON] = ["name": .string(name), "kind": .string(kind.rawValue), "summary": .string(summary)]
        if isRequired { members["required"] = .bool(true) }
        if isSecret { members["secret"] = .bool(true) }
        if let defaultValue { members["default"] = .string(defaultValue) }
        return .object(members)
    }
}

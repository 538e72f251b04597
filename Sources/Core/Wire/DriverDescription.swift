// What a driver in a process of its own says about itself in its hello.

/// Its name, what it can do beyond the contract, and its options: shown by `driver options`, checked before the driver hears of them.
public struct DriverDescription: Sendable {
    /// As it calls itself; what users call a program is up to plugins.conf.
    public var name: String
    /// Of a program only those that the protocol has a word for: `.putIfAbsent`.
    public var capabilities: Capabilities
    /// Each with the name that the driver knows it by: `OPTION`, which is `repoN-NAME-OPTION` in a configuration.
    public var options: [OptionSpec]

    public init(name: String, capabilities: Capabilities = [], options: [OptionSpec] = []) {
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
            guard let option = OptionSpec(wire: item), options.count < Self.mostOptions,
                !options.contains(where: { $0.name == option.name })
            else {
                throw BackupError(
                    .protocol, "\(peer) describes an option that cannot be: \(item.text.prefix(200))",
                    hint: "a name of small letters, once; kind, default and summary are texts; required and secret true or false.")
            }
            options.append(option)
        }
    }

    /// The reply to a hello (docs/driver-protocol.md).
    public var wire: JSON {
        .object([
            "proto": .integer(protocolVersion), "name": .string(name), "features": capabilities.wire,
            "options": .array(options.map(\.wire)),
        ])
    }
}

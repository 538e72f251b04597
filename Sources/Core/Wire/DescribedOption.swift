// An option as a driver describes it that is not of this program (docs/driver-protocol.md, "Options").

extension OptionSpec {
    /// The kinds that the protocol knows, by their names there.
    private static let describedKinds: [(name: String, kind: Kind)] = [
        ("string", .string), ("path", .path), ("boolean", .boolean), ("integer", .integer(.min ... .max)), ("size", .size(0 ... .max)),
    ]

    /// Of a driver that describes itself. `name`: small letters, digits and dashes, as the driver knows it. `kind`: a string, a path, a boolean, an
    /// integer or a size. `default`: in text form.
    public init(
        own name: String, _ kind: Kind = .string, isRequired: Bool = false, isSecret: Bool = false, default defaultValue: String? = nil,
        _ summary: String
    ) {
        self.init(name, kind, .global, group: .repo, default: defaultValue, commands: CommandSets.repository, summary: summary)
        self.isSecret = isSecret
        if isRequired { requiredBy = commands }
    }

    /// At least one command does not run without a value.
    public var isRequired: Bool { !requiredBy.isEmpty }

    /// The kind, as the protocol calls it.
    public var describedKind: String {
        switch kind {
        case .path: "path"
        case .boolean: "boolean"
        case .integer, .time: "integer"
        case .size: "size"
        case .string, .choice, .list, .map: "string"
        }
    }

    /// nil when it cannot be.
    init?(wire value: JSON) {
        let letters = { (byte: UInt8) in byte == UInt8(ascii: "-") || UInt8(ascii: "0")...57 ~= byte || UInt8(ascii: "a")...122 ~= byte }
        let kind = value["kind"]?.string ?? "string"
        guard let name = value["name"]?.string, (1...40).contains(name.utf8.count), name.utf8.allSatisfy(letters),
            let kind = Self.describedKinds.first(where: { $0.name == kind })?.kind
        else { return nil }
        // What is there in another type is not passed over: a secret that is none, a default that does not count.
        func isText(_ member: String) -> Bool { value[member].map { $0 == .null || $0.string != nil } ?? true }
        func isFlag(_ member: String) -> Bool { value[member].map { $0 == .null || $0.bool != nil } ?? true }
        guard isText("kind"), isText("default"), isText("summary"), isFlag("required"), isFlag("secret") else { return nil }
        self.init(
            own: name, kind, isRequired: value["required"]?.bool ?? false, isSecret: value["secret"]?.bool ?? false,
            default: value["default"]?.string, value["summary"]?.string ?? "")
        if let defaultValue, (try? parse(defaultValue, shown: name)) == nil { return nil }
    }

    var wire: JSON {
        var members: [String: JSON] = ["name": .string(name), "kind": .string(describedKind), "summary": .string(summary)]
        if isRequired { members["required"] = .bool(true) }
        if isSecret { members["secret"] = .bool(true) }
        if let defaultValue { members["default"] = .string(defaultValue) }
        return .object(members)
    }
}

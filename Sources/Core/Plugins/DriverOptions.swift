// The options that a driver describes itself, from a configuration.

extension StorageDriver {
    /// A driver that is linked in and described like one that is a program. `open` gets `repoN-path` and the described options, as a JSON
    /// object, checked: integers and sizes are numbers, booleans are booleans.
    public init(
        _ description: DriverDescription,
        open: @escaping @Sendable (_ path: String, _ options: JSON) async throws(BackupError) -> any Storage
    ) {
        self.init(
            name: description.name, describe: { (_, _) throws(BackupError) in description },
            open: { (options, index, _) throws(BackupError) in
                try await open(
                    options[PlaceOptions.path, index], .object(try description.options(of: description.name, in: options, index)))
            })
    }
}

extension DriverDescription {
    /// The values of the driver's options in a configuration, checked against what the driver says of them.
    public func options(of driver: String, in all: Options, _ index: Int) throws(BackupError) -> [String: JSON] {
        let prefix = "repo-\(driver)-"
        var values: [String: JSON] = [:]
        for (name, resolved) in all.values where name.index == index && name.name.hasPrefix(prefix) {
            let written = String(name.name.dropFirst(prefix.count))
            let shown = "repo\(index)-\(driver)-\(written)"
            guard let option = options.first(where: { $0.name == written }) else {
                let nearest =
                    nearestName(to: written, in: options.map(\.name)).map { "did you mean 'repo\(index)-\(driver)-\($0)'?\n" } ?? ""
                throw BackupError(
                    .optionInvalid, "driver '\(driver)' has no option '\(shown)'",
                    hint: "\(nearest)'driver options \(driver)' shows what it has.")
            }
            guard !option.isSecret || resolved.source != .commandLine else {
                throw BackupError(
                    .optionInvalid, "option '\(shown)' is a secret and not allowed on the command line",
                    hint: "the list of processes would show it.\nset it in the configuration file or in the environment.")
            }
            guard case .text(let text) = resolved.value else { continue }
            values[written] = try option.json(text, shown)
        }
        for option in options where values[option.name] == nil {
            let shown = "repo\(index)-\(driver)-\(option.name)"
            if let text = option.defaultValue {
                values[option.name] = try option.json(text, shown)
            } else if option.isRequired {
                throw BackupError(
                    .optionRequired, "driver '\(driver)' requires option '\(shown)'",
                    hint: option.isSecret ? "set it in the configuration file or in the environment." : "set it in the configuration file.")
            }
        }
        return values
    }
}

extension DriverDescription {
    /// Option values as people may see them: `--repo1-tape-library=2`.
    public func shown(_ values: [String: JSON], of driver: String, _ index: Int) -> String {
        options.compactMap { option in
            values[option.name].map { value in
                "--repo\(index)-\(driver)-\(option.name)=" + (option.isSecret ? "<redacted>" : value.string ?? value.text)
            }
        }.joined(separator: " ")
    }
}

extension OptionSpec {
    /// The value as the driver gets it.
    fileprivate func json(_ text: String, _ shown: String) throws(BackupError) -> JSON {
        switch try parse(text, shown: shown) {
        case .text(let text): return .string(text)
        case .flag(let flag): return .bool(flag)
        case .number(let number): return .integer(number)
        case .list, .map: return .null
        }
    }
}

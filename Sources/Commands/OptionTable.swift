// Everything that the command line, the environment and the files may say.

public import BackstopCore

extension OptionTable {
    /// All commands and options of the program, with those of the storage drivers in `registry`. `programs`: storage drivers that describe their
    /// options themselves; `filters`: codecs that are programs; `plugins`: path of the file that names them.
    public static func standard(
        _ registry: Registry, programs: [String] = [], filters: [String] = [], plugins: String = SourceOptions.usualPlugins
    ) -> OptionTable {
        var options = ownOptions
        var names = Set(options.map(\.name))
        for option in registry.storages.sorted(by: { $0.key < $1.key }).flatMap(\.value.options)
            + registry.announced.sorted(by: { $0.key < $1.key }).flatMap(\.value) where names.insert(option.name).inserted
        {
            options.append(option)
        }
        // plugins.conf may put a program in the place of a driver that is built in.
        let builtin = registry.storages.values.filter { $0.describe == nil && !programs.contains($0.name) }
        for position in options.indices {
            switch options[position].name {
            case PlaceOptions.type.spec.name:
                options[position].kind = .choice(Set(builtin.map(\.name) + registry.announced.keys + programs).sorted())
                options[position].unsupportedValues = Set(registry.announced.keys).subtracting(programs)
                options[position].allowList = plugins
            case RepositoryOptions.symlink.spec.name:
                let types = builtin.filter { $0.hasLinks != false }.map(\.name) + programs
                options[position].dependency = OptionSpec.Dependency(PlaceOptions.type.spec.name, types.sorted(), otherwise: "n")
            case CodecOptions.compressType.spec.name:
                guard case .choice(let words) = options[position].kind else { continue }
                options[position].kind = .choice(words + filters.filter { !words.contains($0) })
            default: break
            }
        }
        return OptionTable(options: options, commands: allCommands.map(\.spec), programs: programs, plugins: plugins) {
            (configuration) throws(BackupError) in try checkOptions(&configuration, registry)
        }
    }

    private static let ownOptions =
        SourceOptions.specs + GeneralOptions.specs + RunOptions.specs + WorkOptions.specs + NetworkOptions.specs + LogOptions.specs
        + PostgresOptions.specs
        + ClusterHostOptions.specs + ArchiveOptions.specs + CodecOptions.specs + BackupOptions.specs + PlaceOptions.specs
        + RepositoryOptions.specs + RetentionOptions.specs + RestoreOptions.specs + RepositoryHostOptions.specs + ServerOptions.specs
        + InspectionOptions.specs + InternalOptions.specs
}

// restore: a backup back into a data directory, ready to recover (repository-format.md section 10).

import BackstopCore
import Glibc

struct RestoreCommand {
    private let context: RunContext
    private let stanza: String
    private let cluster: ClusterFiles

    static func run(_ context: RunContext) async throws(BackupError) {
        let stanza = try context.stanza()
        let cluster = try ClusterFiles(context, path: try context.options.required(PostgresOptions.path, 1))
        try await RestoreCommand(context: context, stanza: stanza, cluster: cluster).run()
    }

    private func run() async throws(BackupError) {
        guard try await !cluster.isRunning() else {
            throw BackupError(
                .pgRunning, "unable to restore while PostgreSQL is running",
                hint:
                    "presence of 'postmaster.pid' in '\(cluster.path)' indicates PostgreSQL is running.\nremove 'postmaster.pid' only if PostgreSQL is not running."
            )
        }
        var (isDelta, isForced) = (context.options[BackupOptions.delta], context.options[GeneralOptions.force])
        if isDelta || isForced, try await !isRestorable() {
            context.log.warn(
                "--delta or --force specified but unable to find 'PG_VERSION' or '\(RestoreTarget.manifestName)' in '\(cluster.path)' to confirm that this is a valid $PGDATA directory. --delta and --force have been disabled and if any files exist in the destination directories the restore will be aborted."
            )
            (isDelta, isForced) = (false, false)
        }
        let set = try await RestoreSet.choose(context, stanza)
        var manifest = try await set.repository.manifest(set.label, set.seal)
        try manifest.database.version.requireSupport()
        try Self.checkComplete(manifest)
        context.log.info(
            "\(set.repository.name): restore backup set \(set.label)"
                + (manifest.settings.online ? ", recovery will start at \(localTime(manifest.timestampStart, "%Y-%m-%d %H:%M:%S"))" : ""))
        let databases = try DatabaseChoice(
            manifest, included: context.options[RestoreOptions.dbInclude], excluded: context.options[RestoreOptions.dbExclude])
        try await refuseOtherCluster(manifest, isReplacing: isDelta || isForced)
        var recovery = try recoverySettings(manifest)
        for note in recovery.target.notes { context.log.info(note) }
        for warning in recovery.target.warnings { context.log.warn(warning) }
        if recovery.type != "none", recovery.type != "preserve" { _ = try recovery.lines() }
        if manifest.settings.online { try await TimelineCheck.run(manifest, set.repository, context) }

        try manifest.remap(dataPath: cluster.path, context.options, context.log)
        try PlacesOfThisHost.check(manifest.places, context)
        let acting = try await RestoreWork(context, cluster).begin(&manifest, set)
        defer { acting?.end() }
        let target = RestoreTarget(context: context, manifest: manifest, data: cluster.tree, isDelta: isDelta, isForced: isForced)
        try await target.check()
        try await target.checkSpace(besides: databases)
        if let acting { try await target.makeMissingFolders(acting) }
        await LeftSpool.remove(stanza, context, owners: target.users)
        try await markUnfinished(manifest, set.repository)
        try await target.clean()
        try await target.layOut()

        let total = manifest.totalSize
        let copy = RestoreCopy(
            repository: set.repository, manifest: manifest, target: target, meter: ProgressMeter("restore", size: total, context),
            retry: Retry(context.options), workers: context.options[WorkOptions.processMax],
            readOver: UInt64(context.options[PlaceOptions.readOver, set.repository.index]),
            refusesBadPages: context.options[BackupOptions.checksumPageError], databases: databases,
            log: context.log)
        let controlName = ManifestName("\(Manifest.dataName)/\(ClusterFiles.controlName)")
        let left: Set = [controlName, ManifestName("\(Manifest.dataName)/tablespace_map")]
        let preserved = recovery.type == "preserve" ? try await preservedFiles() : []
        try await copy.run(besides: left.union(preserved))
        copy.meter.end()

        recovery.standing = try await StandingTargets(root: context.openTree(""), dataPath: cluster.path).names()
        try await writeRecovery(recovery, manifest)
        try await finish(manifest, copy, controlName)
        context.log.info("restore size = \(roundedSize(total)), file total = \(manifest.files.count)")
        let bad = copy.badFiles.count
        if bad > 0 {
            context.log.warn("restore command encountered page checksum error(s) in \(bad) file(s), check the log file for details")
        }
        copy.meter.succeed("backup set \(set.label) restored to \(cluster.path): \(roundedSize(total))")
    }

    /// A folder with another cluster in it is most likely not where this backup belongs.
    private func refuseOtherCluster(_ manifest: Manifest, isReplacing: Bool) async throws(BackupError) {
        guard isReplacing else { return }
        // Its mode may have been taken away, and would be set right later. Root can read it all the same.
        let global = Key(ClusterFiles.controlName).parent
        if geteuid() != 0, let entry = try await cluster.tree.stat(global), entry.kind == .folder,
            let mode = entry.attributes.mode, mode & 0o700 != 0o700
        {
            try await cluster.tree.setAttributes(global, Attributes(mode: mode | 0o700))
        }
        guard try await cluster.exists(ClusterFiles.controlName), let control = try? await cluster.control(),
            control.systemID != manifest.database.systemID
        else { return }
        let there = "'\(cluster.path)' holds a cluster with system identifier \(control.systemID)"
        if context.options[GeneralOptions.force] {
            context.log.warn("\(there), which is replaced by that of the backup, \(manifest.database.systemID)")
            return
        }
        throw BackupError(
            .backupMismatch, "\(there), the backup is of \(manifest.database.systemID)",
            hint: "is pg1-path right, and is this the stanza of that cluster?\nto replace the cluster that is there, add --force.")
    }

    /// Without its checksum a file could not be verified.
    private static func checkComplete(_ manifest: Manifest) throws(BackupError) {
        guard !manifest.files.isEmpty else { throw BackupError(.format, "backup set \(manifest.label) has no files") }
        if let file = manifest.files.first(where: { $0.size > 0 && $0.checksum == nil }) {
            throw BackupError(
                .format, "manifest of backup set \(manifest.label) has no checksum for '\(file.name)'",
                hint: "the backup was not completed: restore another one with --set.")
        }
    }

    private func isRestorable() async throws(BackupError) -> Bool {
        if try await cluster.exists("PG_VERSION") { return true }
        return try await cluster.exists(RestoreTarget.manifestName)
    }

    /// While this file is in PGDATA an interrupted restore can be repeated with --delta.
    private func markUnfinished(_ manifest: Manifest, _ repository: StanzaRepository) async throws(BackupError) {
        var plain = manifest
        plain.seal = nil
        var text = ManifestText(plain, try repository.sha1(), version: Program.formatVersion)
        try await cluster.tree.makeDirectory(.root, Attributes(mode: manifest.places.dataFolder?.mode))
        _ = try await cluster.tree.put(
            Key(RestoreTarget.manifestName), from: &text, PutOptions(attributes: ownAttributes(manifest)))
    }

    /// Of files that the restore itself makes.
    private func ownAttributes(_ manifest: Manifest) -> Attributes {
        let data = manifest.places.dataFolder
        return Attributes(mode: (data?.mode ?? 0o700) & 0o644, user: data?.owner.user, group: data?.owner.group)
    }

    // MARK: Recovery settings

    private func recoverySettings(_ manifest: Manifest) throws(BackupError) -> RecoverySettings {
        var options = context.options
        // An offline backup has no WAL to recover with, unless the user says otherwise.
        if !manifest.settings.online, !options.isGiven(GeneralOptions.type) {
            options.derive(GeneralOptions.type, .text("none"))
        }
        let words = [context.programPath] + context.inheritedOptions + ["--stanza=\(stanza)"]
        let command = words.map(RecoverySettings.shellWord).joined(separator: " ") + " archive-get %f \"%p\""
        return RecoverySettings(
            version: manifest.database.version, options: options, restoreCommand: command,
            stamp: localTime(unixNow(), "%Y-%m-%d %H:%M:%S"),
            target: try ResolvedTarget(
                type: options[GeneralOptions.type] ?? "default", target: options[RestoreOptions.target],
                timeline: options[RestoreOptions.targetTimeline],
                label: manifest.label.text, isChosen: options[GeneralOptions.set].map { $0 != "latest" } ?? false, now: unixNow()))
    }

    private func preservedFiles() async throws(BackupError) -> Set<ManifestName> {
        var names: Set<ManifestName> = []
        for name in ["postgresql.auto.conf", "recovery.conf", "recovery.signal", "standby.signal"] where try await cluster.exists(name) {
            names.insert(ManifestName("\(Manifest.dataName)/\(name)"))
        }
        return names
    }

    private func writeRecovery(_ recovery: RecoverySettings, _ manifest: Manifest) async throws(BackupError) {
        if recovery.type == "preserve" { return }
        let options = PutOptions(attributes: ownAttributes(manifest))
        if recovery.version < .v12 {
            if recovery.type == "none" { return }
            context.log.info("write \(cluster.path)/recovery.conf")
            try await cluster.tree.put(Key("recovery.conf"), bytes: Array(try recovery.recoveryFile().utf8), options)
            return
        }
        let auto = Key("postgresql.auto.conf")
        var old: [UInt8] = []
        if try await cluster.tree.stat(auto) != nil {
            old = try await cluster.tree.read(auto)
        } else {
            context.log.warn("postgresql.auto.conf does not exist -- creating to contain recovery settings")
        }
        context.log.info("write updated \(cluster.path)/postgresql.auto.conf")
        try await cluster.tree.put(auto, bytes: try recovery.autoFile(old), options)
        if let signal = recovery.signalFile { try await cluster.tree.put(Key(signal), bytes: [], options) }
    }

    // MARK: The end

    /// Makes everything durable, then puts pg_control in place: until then nothing can be started.
    private func finish(_ manifest: Manifest, _ copy: RestoreCopy, _ controlName: ManifestName) async throws(BackupError) {
        try await cluster.tree.sync(.root)
        try await cluster.tree.remove(Key(RestoreTarget.manifestName))
        guard let file = manifest.files.index(of: controlName).map({ manifest.files[$0] }) else {
            context.log.warn("backup does not contain '\(ClusterFiles.controlName)' -- cluster will not start")
            return
        }
        var bytes = try await copy.control(file)
        if manifest.settings.online {
            bytes = try ControlFile(bytes, forced: try context.forcedVersion()).storedWithoutCheckpoint
        }
        context.log.info("restore \(ClusterFiles.controlName) (performed last to ensure aborted restores cannot be started)")
        try await cluster.tree.put(
            Key(ClusterFiles.controlName), bytes: bytes,
            PutOptions(attributes: Attributes(file)))
    }
}

extension RestoreCommand {
    static let command = Command(
        CommandSpec(
            "restore", "Backup and restore", "restore a cluster from a backup",
            """
            Copies a backup back into the data directory and its tablespaces, and tells the server how to recover. The server has to \
            be down, and the folders have to be empty unless --delta or --force is given.
            """
        ) {
            $0.allowsRoot = true
            $0.hasLogFile = true
        },
        locks: [.restore], repositories: .firstThatHas, run: run)
}

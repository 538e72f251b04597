// Everything that is decided and checked before a restore changes anything: the same for the restore and for its plan.

import BackstopCore
import Glibc

struct RestorePreparation {
    let set: RestoreSet
    /// With its parts where they go, and with owners of this host.
    let manifest: Manifest
    /// nil: all databases have their content.
    let databases: DatabaseChoice?
    var recovery: RecoverySettings
    /// nil: it is not known where the recovery begins, or there is none.
    let path: TimelinePath?
    let target: RestoreTarget
    /// As whom root works; to be ended by who has it.
    let acting: ActingUser?
    /// A server runs in PGDATA: only a plan gets so far.
    let isRunning: Bool

    /// Throws what keeps the restore from beginning, but for the lack of space. `onlyLooks`: for a plan, which changes nothing and which a
    /// running server does not mind.
    static func make(
        _ context: RunContext, _ cluster: ClusterFiles, onlyLooks: Bool, _ notes: inout RestoreNotes
    ) async throws(BackupError) -> RestorePreparation {
        let isRunning = try await cluster.isRunning()
        guard onlyLooks || !isRunning else {
            throw BackupError(
                .pgRunning, "unable to restore while PostgreSQL is running",
                hint:
                    "presence of 'postmaster.pid' in '\(cluster.path)' indicates PostgreSQL is running.\nremove 'postmaster.pid' only if PostgreSQL is not running."
            )
        }
        var (isDelta, isForced) = (context.options[BackupOptions.delta], context.options[GeneralOptions.force])
        if isDelta || isForced, try await !isRestorable(cluster) {
            notes.warn(
                "--delta or --force specified but unable to find 'PG_VERSION' or '\(RestoreTarget.manifestName)' in '\(cluster.path)' to confirm that this is a valid $PGDATA directory. --delta and --force have been disabled and if any files exist in the destination directories the restore will be aborted."
            )
            (isDelta, isForced) = (false, false)
        }
        let set = try await choose(context, &notes)
        var manifest = try await set.repository.manifest(set.label, set.seal)
        try manifest.database.version.requireSupport()
        try checkComplete(manifest)
        notes.info(
            "\(set.repository.name): restore backup set \(set.label)"
                + (manifest.settings.online ? ", recovery will start at \(localTime(manifest.timestampStart, "%Y-%m-%d %H:%M:%S"))" : ""))
        let databases = try DatabaseChoice(
            manifest, included: context.options[RestoreOptions.dbInclude], excluded: context.options[RestoreOptions.dbExclude])
        if isDelta || isForced { try await refuseOtherCluster(context, cluster, manifest, onlyLooks: onlyLooks, &notes) }
        let recovery = try recoverySettings(context, manifest)
        for note in recovery.target.notes { notes.info(note) }
        for warning in recovery.target.warnings { notes.warn(warning) }
        if recovery.type != "none", recovery.type != "preserve" { _ = try recovery.lines() }
        let path = try await checkTarget(context, manifest, set, recovery, &notes)

        try manifest.remap(dataPath: cluster.path, context.options, &notes)
        try PlacesOfThisHost.check(manifest.places, context)
        let acting = try await RestoreWork(context, cluster).begin(&manifest, set, onlyLooks: onlyLooks, &notes)
        let target = RestoreTarget(context: context, manifest: manifest, data: cluster.tree, isDelta: isDelta, isForced: isForced)
        do throws(BackupError) {
            try await target.check()
        } catch {
            acting?.end()
            throw error
        }
        return RestorePreparation(
            set: set, manifest: manifest, databases: databases, recovery: recovery, path: path, target: target, acting: acting,
            isRunning: isRunning)
    }

    private static func isRestorable(_ cluster: ClusterFiles) async throws(BackupError) -> Bool {
        if try await cluster.exists("PG_VERSION") { return true }
        return try await cluster.exists(RestoreTarget.manifestName)
    }

    private static func choose(_ context: RunContext, _ notes: inout RestoreNotes) async throws(BackupError) -> RestoreSet {
        do throws(BackupError) {
            return try await RestoreSet.choose(context, &notes)
        } catch  where error.code == .backupSetInvalid {
            throw await ReachableTargets.telling(error, context)
        }
    }

    /// Whether the backup leads to the target, and over which timelines.
    private static func checkTarget(
        _ context: RunContext, _ manifest: Manifest, _ set: RestoreSet, _ recovery: RecoverySettings,
        _ notes: inout RestoreNotes
    ) async throws(BackupError) -> TimelinePath? {
        guard manifest.settings.online else { return nil }
        do throws(BackupError) {
            if let warning = try RestoreSet.checkReach(manifest, type: recovery.type, target: recovery.target.target) {
                notes.warn(warning)
            }
            return try await TimelineCheck.run(manifest, set.repository, context)
        } catch  where [.backupSetInvalid, .dbMismatch, .fileMissing].contains(error.code) {
            throw await ReachableTargets.telling(error, context)
        }
    }

    /// A folder with another cluster in it is most likely not where this backup belongs.
    private static func refuseOtherCluster(
        _ context: RunContext, _ cluster: ClusterFiles, _ manifest: Manifest, onlyLooks: Bool, _ notes: inout RestoreNotes
    ) async throws(BackupError) {
        // Its mode may have been taken away, and would be set right later. Root can read it all the same.
        let global = Key(ClusterFiles.controlName).parent
        if geteuid() != 0, !onlyLooks, let entry = try await cluster.tree.stat(global), entry.kind == .folder,
            let mode = entry.attributes.mode, mode & 0o700 != 0o700
        {
            try await cluster.tree.setAttributes(global, Attributes(mode: mode | 0o700))
        }
        guard try await cluster.exists(ClusterFiles.controlName), let control = try? await cluster.control(),
            control.systemID != manifest.database.systemID
        else { return }
        let there = "'\(cluster.path)' holds a cluster with system identifier \(control.systemID)"
        if context.options[GeneralOptions.force] {
            notes.warn("\(there), which is replaced by that of the backup, \(manifest.database.systemID)")
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

    private static func recoverySettings(_ context: RunContext, _ manifest: Manifest) throws(BackupError) -> RecoverySettings {
        var options = context.options
        // An offline backup has no WAL to recover with, unless the user says otherwise.
        if !manifest.settings.online, !options.isGiven(GeneralOptions.type) {
            options.derive(GeneralOptions.type, .text("none"))
        }
        let words = [context.programPath] + context.inheritedOptions + ["--stanza=\(try context.stanza())"]
        let command = words.map(RecoverySettings.shellWord).joined(separator: " ") + " archive-get %f \"%p\""
        return RecoverySettings(
            version: manifest.database.version, options: options, restoreCommand: command,
            stamp: localTime(unixNow(), "%Y-%m-%d %H:%M:%S"),
            target: try ResolvedTarget(
                type: options[GeneralOptions.type] ?? "default", target: options[RestoreOptions.target],
                timeline: options[RestoreOptions.targetTimeline],
                label: manifest.label.text, isChosen: options[GeneralOptions.set].map { $0 != "latest" } ?? false, now: unixNow()))
    }

    // MARK: Files

    static let controlName = ManifestName("\(Manifest.dataName)/\(ClusterFiles.controlName)")

    /// Files that the workers do not restore: pg_control comes last, the map of tablespaces never, and type preserve keeps what is there.
    func left(_ cluster: ClusterFiles) async throws(BackupError) -> Set<ManifestName> {
        var names: Set = [Self.controlName, ManifestName("\(Manifest.dataName)/tablespace_map")]
        guard recovery.type == "preserve" else { return names }
        for name in ["postgresql.auto.conf", "recovery.conf", "recovery.signal", "standby.signal"] where try await cluster.exists(name) {
            names.insert(ManifestName("\(Manifest.dataName)/\(name)"))
        }
        return names
    }
}

// Which of the configured clusters a backup begins and ends on, and which one its files are copied from.

import BackstopCore

/// A cluster, and the session with its server.
struct ClusterServer {
    let cluster: ClusterFiles
    let session: OnlineSession
}

struct BackupServers {
    /// Its server begins and ends a backup, and its files are listed: the primary, or a standby alone.
    let main: ClusterServer
    /// What WAL replay writes is copied from it; nil: from `main` as everything else.
    var standby: ClusterServer?

    var isStandbyAlone: Bool { main.session.isStandby }

    /// Looks at all clusters of the stanza, in the order of their indexes. What keeps one of several from being asked is a warning.
    /// `locks`: what is to be locked on the hosts of the clusters.
    static func find(_ context: RunContext, _ use: StandbyUse = .never, locks: HostLocks? = nil) throws(BackupError) -> BackupServers {
        let indexes = context.options.indexes(.pg)
        var found: [Int: ClusterServer] = [:]
        for index in indexes {
            do throws(BackupError) {
                let cluster = try ClusterFiles(context, index, locks: locks)
                found[index] = ClusterServer(cluster: cluster, session: try OnlineSession(context, cluster))
            } catch {
                // A lock means that another command is at work, perhaps on the very primary.
                if indexes.count == 1 || [.cancelled, .lockAcquire].contains(error.code) { throw error }
                context.log.warn("unable to check pg\(index): [\(error.code.exitStatus)] \(error)")
            }
        }
        let standbys = found.filter { $0.value.session.isStandby }.keys.sorted()
        let choice = try ServerChoice(primaries: found.keys.filter { !standbys.contains($0) }.sorted(), standbys: standbys, use)
        guard let main = found[choice.main] else { preconditionFailure("a server is chosen of those that were found") }
        return BackupServers(main: main, standby: choice.standby.flatMap { found[$0] })
    }
}

/// `backup-standby`.
enum StandbyUse: String, Sendable {
    case never = "n"
    /// Where there is one that keeps up.
    case preferred = "prefer"
    case required = "y"

    init(_ options: Options) { self = StandbyUse(rawValue: options[BackupOptions.backupStandby]) ?? .never }
}

/// Which servers a backup uses, by their indexes.
struct ServerChoice: Equatable {
    let main: Int
    let standby: Int?

    /// Of the servers that answered; each list in ascending order. Throws `.dbConnect` (56).
    init(primaries: [Int], standbys: [Int], _ use: StandbyUse) throws(BackupError) {
        guard primaries.count <= 1 else {
            throw BackupError(
                .dbConnect, "more than one primary cluster found: \(primaries.map { "pg\($0)" }.joined(separator: ", "))",
                hint: "was one of them promoted while the other went on? Take the one that is not to be used out of the configuration.")
        }
        guard let primary = primaries.first else {
            guard use != .never, let alone = standbys.first else {
                throw BackupError(
                    .dbConnect, "unable to find primary cluster - cannot proceed",
                    hint: standbys.isEmpty
                        ? "is a server running at the configured ports?"
                        : "all available clusters are in recovery.\n'backup' with --backup-standby=y backs up a standby alone.")
            }
            (main, standby) = (alone, nil)
            return
        }
        guard use != .required || !standbys.isEmpty else {
            throw BackupError(
                .dbConnect, "unable to find standby cluster - cannot proceed",
                hint: "pg\(primary) is a primary, and no other configured cluster is a standby that answers."
                    + "\n--backup-standby=prefer copies from the primary then.")
        }
        (main, standby) = (primary, use == .never ? nil : standbys.first)
    }
}

// Which of the configured clusters is the primary.

import BackstopCore

/// A cluster, and the session with its server.
struct Primary {
    let cluster: ClusterFiles
    let session: OnlineSession

    /// Looks at all clusters of the stanza, in the order of their indexes. What keeps one of several from being asked is a warning.
    /// `locks`: what is to be locked on the hosts of the clusters.
    static func find(_ context: RunContext, locks: HostLocks? = nil) throws(BackupError) -> Primary {
        let indexes = context.options.indexes(.pg)
        var found: [Primary] = []
        for index in indexes {
            do throws(BackupError) {
                let cluster = try ClusterFiles(context, index, locks: locks)
                let session = try OnlineSession(context, cluster)
                if !session.isStandby { found.append(Primary(cluster: cluster, session: session)) }
            } catch {
                // A lock means that another command is at work, perhaps on the very primary.
                if indexes.count == 1 || [.cancelled, .lockAcquire].contains(error.code) { throw error }
                context.log.warn("unable to check pg\(index): [\(error.code.exitStatus)] \(error)")
            }
        }
        guard let primary = found.first else {
            throw BackupError(
                .dbConnect, "unable to find primary cluster - cannot proceed",
                hint: "are all available clusters in recovery? A backup is made of the primary.")
        }
        guard found.count == 1 else {
            throw BackupError(
                .dbConnect, "more than one primary cluster found: \(found.map(\.cluster.name).joined(separator: ", "))",
                hint: "was one of them promoted while the other went on? Take the one that is not to be used out of the configuration.")
        }
        return primary
    }
}

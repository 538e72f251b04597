// The driver as a program of its own. In plugins.conf: sqlite = exec /usr/local/bin/sqlite-driver

import BackstopCore
import Glibc
import SQLiteDriver

exit(sqliteDescription.serve { (path, options) throws(BackupError) in try openSQLite(path, options) })

// pgBackstop with the driver linked in. In plugins.conf, if there is one: sqlite = builtin

import BackstopCore
import BackstopProgram
import SQLiteDriver

@main
struct Main {
    static func main() { runProgram { $0.register(StorageDriver(sqliteDescription, open: openSQLite)) } }
}

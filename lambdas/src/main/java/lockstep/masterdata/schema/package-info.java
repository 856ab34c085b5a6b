/** Describes the schema that a data set has in one database, compares it with another's, and finds what would make a sync fail. */
package lockstep.masterdata.schema;

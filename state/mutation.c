/* SPDX-License-Identifier: Apache-2.0 */
#include "state/mutation.h"

enum mutation mutation = MUTATION_NONE;
